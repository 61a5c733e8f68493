"""gunicorn's own lines, in the form and with the silences of the product's (SEC-22)."""

import logging.config
import os

from gunicorn.config import Config
from gunicorn.glogging import Logger

from coordination.common import logging as product_logging


class ServerLog(Logger):
    """Hands gunicorn's lines to the root logger, set as Django will set it: some come before Django starts."""

    def setup(self, cfg: Config) -> None:
        super().setup(cfg)
        as_json = os.environ.get("DJANGO_SETTINGS_MODULE") != "coordination.settings.dev"
        logging.config.dictConfig(product_logging.configuration(as_json=as_json))
        self.error_log.handlers.clear()
        self.error_log.propagate = True
