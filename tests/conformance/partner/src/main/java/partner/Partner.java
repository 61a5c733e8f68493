package partner;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.jpa.provider.IJpaSystemProvider;
import ca.uhn.fhir.jpa.search.DatabaseBackedPagingProvider;
import ca.uhn.fhir.rest.server.RestfulServer;
import ca.uhn.fhir.rest.server.provider.ResourceProviderFactory;
import jakarta.servlet.Filter;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.EnumSet;
import org.eclipse.jetty.ee10.servlet.FilterHolder;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;

/**
 * A Gestionnaire that is not ours: HAPI's JPA server, whole, behind OAuth2 client credentials. Prints the port it
 * listens to, and lives until its standard input is closed.
 */
public final class Partner {
  private static final String TOKEN = "jeton-du-partenaire";
  private static final String CLIENT = "coordination:secret";

  private Partner() {}

  public static void main(String[] arguments) throws Exception {
    AnnotationConfigApplicationContext spring = new AnnotationConfigApplicationContext(Storage.class);
    RestfulServer fhir = new RestfulServer(spring.getBean(FhirContext.class));
    fhir.registerProviders(spring.getBean("myResourceProvidersR4", ResourceProviderFactory.class).createProviders());
    fhir.registerProvider(spring.getBean(IJpaSystemProvider.class));
    fhir.setPagingProvider(spring.getBean(DatabaseBackedPagingProvider.class));

    ServletContextHandler handler = new ServletContextHandler("/");
    handler.addServlet(new ServletHolder(fhir), "/fhir/*");
    handler.addServlet(new ServletHolder(new Tokens()), "/oauth/token");
    handler.addFilter(new FilterHolder(new Bearer()), "/fhir/*", EnumSet.of(jakarta.servlet.DispatcherType.REQUEST));
    Server server = new Server();
    ServerConnector connector = new ServerConnector(server);
    connector.setHost("127.0.0.1");
    server.addConnector(connector);
    server.setHandler(handler);
    server.start();
    System.out.println("listening " + connector.getLocalPort());
    while (System.in.read() != -1) {
      // Whoever started this holds the other end.
    }
    server.stop();
    spring.close();
    System.exit(0);
  }

  /** Gives one token for one secret (RFC 6749, 4.4). */
  private static final class Tokens extends HttpServlet {
    @Override
    protected void doPost(HttpServletRequest request, HttpServletResponse response) throws IOException {
      String wanted =
          "Basic " + Base64.getEncoder().encodeToString(CLIENT.getBytes(StandardCharsets.UTF_8));
      boolean known = wanted.equals(request.getHeader("Authorization"));
      response.setStatus(known ? 200 : 401);
      response.setContentType("application/json");
      response.getWriter().write(
          known
              ? "{\"access_token\":\"" + TOKEN + "\",\"token_type\":\"Bearer\",\"expires_in\":3600}"
              : "{\"error\":\"invalid_client\"}");
    }
  }

  private static final class Bearer implements Filter {
    @Override
    public void doFilter(ServletRequest request, ServletResponse response, FilterChain chain)
        throws IOException, ServletException {
      if (("Bearer " + TOKEN).equals(((HttpServletRequest) request).getHeader("Authorization"))) {
        chain.doFilter(request, response);
      } else {
        ((HttpServletResponse) response).setStatus(401);
      }
    }
  }
}
