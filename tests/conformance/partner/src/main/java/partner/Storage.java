package partner;

import ca.uhn.fhir.batch2.jobs.config.Batch2JobsConfig;
import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.jpa.api.config.JpaStorageSettings;
import ca.uhn.fhir.jpa.api.config.ThreadPoolFactoryConfig;
import ca.uhn.fhir.jpa.batch2.JpaBatch2Config;
import ca.uhn.fhir.jpa.config.HapiJpaConfig;
import ca.uhn.fhir.jpa.config.r4.JpaR4Config;
import ca.uhn.fhir.jpa.config.util.HapiEntityManagerFactoryUtil;
import ca.uhn.fhir.jpa.model.config.PartitionSettings;
import ca.uhn.fhir.jpa.model.config.SubscriptionSettings;
import ca.uhn.fhir.jpa.model.dialect.HapiFhirH2Dialect;
import ca.uhn.fhir.jpa.model.dialect.HapiFhirPostgresDialect;
import ca.uhn.fhir.jpa.subscription.channel.config.SubscriptionChannelConfig;
import jakarta.persistence.EntityManagerFactory;
import java.util.Properties;
import javax.sql.DataSource;
import org.apache.commons.dbcp2.BasicDataSource;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.context.annotation.Primary;
import org.springframework.orm.jpa.JpaTransactionManager;
import org.springframework.orm.jpa.LocalContainerEntityManagerFactoryBean;
import org.springframework.transaction.annotation.EnableTransactionManagement;

/** HAPI's own storage of FHIR R4: in memory, or in the PostgreSQL that the environment names. */
@Configuration
@EnableTransactionManagement
@Import({
  JpaR4Config.class,
  HapiJpaConfig.class,
  JpaBatch2Config.class,
  Batch2JobsConfig.class,
  SubscriptionChannelConfig.class,
  ThreadPoolFactoryConfig.class
})
public class Storage {
  private static final int CONNECTIONS = 20;
  private static final String IN_MEMORY = "jdbc:h2:mem:partner;DB_CLOSE_DELAY=-1";

  private static String said(String variable, String otherwise) {
    return System.getenv().getOrDefault(variable, otherwise);
  }

  @Bean
  public JpaStorageSettings storageSettings() {
    JpaStorageSettings settings = new JpaStorageSettings();
    // What is written is found at once. A client that says Cache-Control asks the same of a server that keeps answers.
    if (!said("PARTNER_KEEPS_SEARCHES", "").equals("1")) {
      settings.setReuseCachedSearchResultsForMillis(null);
    }
    settings.setHibernateSearchIndexSearchParams(false);
    return settings;
  }

  @Bean
  public PartitionSettings partitionSettings() {
    return new PartitionSettings();
  }

  @Bean
  public SubscriptionSettings subscriptionSettings() {
    return new SubscriptionSettings();
  }

  /** Connections are opened once and kept; with two of them this server waits for itself before it opens. */
  @Bean
  public DataSource dataSource() {
    BasicDataSource pool = new BasicDataSource();
    pool.setUrl(said("PARTNER_DATABASE", IN_MEMORY));
    pool.setUsername(said("PARTNER_USER", "sa"));
    pool.setPassword(said("PARTNER_PASSWORD", ""));
    pool.setMaxTotal(CONNECTIONS);
    pool.setMaxIdle(CONNECTIONS);
    return pool;
  }

  @Bean
  @Primary
  public LocalContainerEntityManagerFactoryBean entityManagerFactory(
      DataSource source, ConfigurableListableBeanFactory beans, FhirContext context, JpaStorageSettings settings) {
    LocalContainerEntityManagerFactoryBean made =
        HapiEntityManagerFactoryUtil.newEntityManagerFactory(beans, context, settings);
    made.setPersistenceUnitName("partner");
    made.setDataSource(source);
    Properties said = new Properties();
    boolean inMemory = IN_MEMORY.equals(said("PARTNER_DATABASE", IN_MEMORY));
    said.put("hibernate.dialect", (inMemory ? HapiFhirH2Dialect.class : HapiFhirPostgresDialect.class).getName());
    said.put("hibernate.hbm2ddl.auto", "update");
    // As in the server that HAPI distributes.
    said.put("hibernate.jdbc.batch_size", "20");
    said.put("hibernate.cache.use_query_cache", "false");
    said.put("hibernate.cache.use_second_level_cache", "false");
    said.put("hibernate.search.enabled", "false");
    made.setJpaProperties(said);
    return made;
  }

  @Bean
  @Primary
  public JpaTransactionManager transactionManager(EntityManagerFactory factory) {
    return new JpaTransactionManager(factory);
  }
}
