"""What an operator watches and looks after: queues, metrics, service levels, what is kept too long."""
