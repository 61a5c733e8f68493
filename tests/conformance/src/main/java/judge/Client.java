package judge;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.parser.StrictErrorHandler;
import ca.uhn.fhir.rest.api.EncodingEnum;
import ca.uhn.fhir.rest.client.api.IGenericClient;
import ca.uhn.fhir.rest.client.api.ServerValidationModeEnum;
import ca.uhn.fhir.rest.client.interceptor.AdditionalRequestHeadersInterceptor;
import ca.uhn.fhir.rest.gclient.TokenClientParam;
import ca.uhn.fhir.rest.server.exceptions.PreconditionFailedException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.hl7.fhir.instance.model.api.IBaseResource;
import org.hl7.fhir.r4.model.Bundle;
import org.hl7.fhir.r4.model.CapabilityStatement;
import org.hl7.fhir.r4.model.CareTeam;
import org.hl7.fhir.r4.model.IdType;
import org.hl7.fhir.r4.model.Resource;

/** HAPI's generic client on a live server: told a plan (tests/conformance/plan.py), prints what it saw as one line. */
public final class Client {
  private static final ObjectMapper JSON = new ObjectMapper();

  public static void main(String[] arguments) throws IOException {
    JsonNode plan = JSON.readTree(Files.readString(Path.of(arguments[0])));
    FhirContext context = FhirContext.forR4();
    context.setParserErrorHandler(new StrictErrorHandler());
    context.getRestfulClientFactory().setSocketTimeout(60_000);
    context.getRestfulClientFactory().setServerValidationMode(ServerValidationModeEnum.ONCE);
    IGenericClient client = context.newRestfulGenericClient(plan.get("base").asText());
    AdditionalRequestHeadersInterceptor headers = new AdditionalRequestHeadersInterceptor();
    plan.get("headers").fields().forEachRemaining(one -> headers.addHeaderValue(one.getKey(), one.getValue().asText()));
    client.registerInterceptor(headers);
    client.setEncoding(EncodingEnum.XML);

    ObjectNode saw = JSON.createObjectNode();
    CapabilityStatement said = client.capabilities().ofType(CapabilityStatement.class).execute();
    saw.put("fhir", said.getFhirVersion().toCode());
    Map<String, String> made = created(context, client, plan.get("create"), saw.putObject("created"));
    transaction(context, client, plan, saw);
    search(client, plan, saw);
    client.setEncoding(EncodingEnum.JSON);
    pages(client, saw);
    versions(client, made.get("CareTeam"), saw);
    System.out.println(JSON.writeValueAsString(saw));
  }

  private static Map<String, String> created(
      FhirContext context, IGenericClient client, JsonNode resources, ObjectNode saw) {
    Map<String, String> made = new LinkedHashMap<>();
    resources
        .fields()
        .forEachRemaining(
            one -> {
              String told = one.getValue().toString();
              for (Map.Entry<String, String> known : made.entrySet()) {
                told = told.replace("{" + known.getKey() + "}", known.getValue());
              }
              IBaseResource resource = context.newJsonParser().parseResource(told);
              String id = client.create().resource(resource).execute().getId().getIdPart();
              made.put(one.getKey(), id);
              saw.put(one.getKey(), id);
            });
    return made;
  }

  private static void transaction(FhirContext context, IGenericClient client, JsonNode plan, ObjectNode saw) {
    Bundle sent = context.newJsonParser().parseResource(Bundle.class, plan.get("transaction").toString());
    Bundle answer = client.transaction().withBundle(sent).execute();
    ObjectNode made = saw.putObject("transaction");
    for (Bundle.BundleEntryComponent entry : answer.getEntry()) {
      IdType id = new IdType(entry.getFullUrl());
      made.put(id.getResourceType(), id.getIdPart());
    }
  }

  private static void search(IGenericClient client, JsonNode plan, ObjectNode saw) {
    String[] identifier = plan.get("identifier").asText().split("\\|");
    Bundle found =
        client
            .search()
            .forResource(CareTeam.class)
            .where(new TokenClientParam("patient.identifier").exactly().systemAndCode(identifier[0], identifier[1]))
            .include(CareTeam.INCLUDE_SUBJECT)
            .include(CareTeam.INCLUDE_PARTICIPANT)
            .include(new ca.uhn.fhir.model.api.Include("PractitionerRole:practitioner", true))
            .returnBundle(Bundle.class)
            .usingStyle(ca.uhn.fhir.rest.api.SearchStyleEnum.POST)
            .execute();
    var matches = saw.putArray("found");
    var included = saw.putArray("included");
    for (Bundle.BundleEntryComponent entry : found.getEntry()) {
      Resource resource = entry.getResource();
      if (entry.getSearch().getMode() == Bundle.SearchEntryMode.MATCH) {
        matches.add(resource.getIdElement().getIdPart());
      } else {
        included.add(resource.fhirType());
      }
    }
  }

  private static void pages(IGenericClient client, ObjectNode saw) {
    var ids = saw.putArray("pages");
    Bundle page = client.search().forResource(CareTeam.class).count(1).returnBundle(Bundle.class).execute();
    while (page != null) {
      page.getEntry().forEach(entry -> ids.add(entry.getResource().getIdElement().getIdPart()));
      page = page.getLink(Bundle.LINK_NEXT) == null ? null : client.loadPage().next(page).execute();
    }
  }

  private static void versions(IGenericClient client, String id, ObjectNode saw) {
    CareTeam circle = client.read().resource(CareTeam.class).withId(id).execute();
    described(saw.putObject("read"), circle);
    CareTeam changed = circle.copy();
    changed.setName("Cercle renommé");
    // With a version in its id, this client says If-Match.
    changed.setId(new IdType("CareTeam", id, "1"));
    described(saw.putObject("updated"), (CareTeam) client.update().resource(changed).execute().getResource());
    try {
      client.update().resource(changed).execute();
    } catch (PreconditionFailedException refused) {
      saw.put("stale", refused.getStatusCode());
    }
    described(saw.putObject("vread"), client.read().resource(CareTeam.class).withIdAndVersion(id, "1").execute());
    Bundle versions =
        client.history().onInstance(new IdType("CareTeam", id)).returnBundle(Bundle.class).execute();
    var history = saw.putArray("history");
    versions.getEntry().forEach(entry -> history.add(entry.getResource().getMeta().getVersionId()));
  }

  private static void described(ObjectNode told, CareTeam circle) {
    told.put("version", circle.getMeta().getVersionId());
    told.put("name", circle.getName());
  }
}
