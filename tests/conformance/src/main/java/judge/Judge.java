package judge;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.DefaultProfileValidationSupport;
import ca.uhn.fhir.context.support.IValidationSupport;
import ca.uhn.fhir.context.support.ValidationSupportContext;
import ca.uhn.fhir.parser.IParser;
import ca.uhn.fhir.validation.FhirValidator;
import ca.uhn.fhir.validation.SingleValidationMessage;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.hl7.fhir.common.hapi.validation.support.CommonCodeSystemsTerminologyService;
import org.hl7.fhir.common.hapi.validation.support.InMemoryTerminologyServerValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.PrePopulatedValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.SnapshotGeneratingValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.UnknownCodeSystemWarningValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.ValidationSupportChain;
import org.hl7.fhir.common.hapi.validation.validator.FhirInstanceValidator;
import org.hl7.fhir.instance.model.api.IBaseResource;
import org.hl7.fhir.r4.model.ElementDefinition;
import org.hl7.fhir.r4.model.Enumerations.BindingStrength;
import org.hl7.fhir.r4.model.StructureDefinition;
import org.hl7.fhir.r4.model.ValueSet;
import org.hl7.fhir.r5.utils.validation.constants.BestPracticeWarningLevel;

/**
 * The HL7 validator over a folder of resources, against the definitions of other folders.
 *
 * <p>Arguments: {@code --definitions FOLDER}... {@code --input FOLDER} {@code --report FILE}. Nothing is fetched: what
 * the folders and base R4 do not define is named as unverified in the report.
 */
public final class Judge {
  private static final Set<String> NOT_DEFINITIONS = Set.of("examples", "openapi", "expansions");
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final List<String> INVENTED =
      List.of("http://exemple.test/", "https://exemple.test/", "https://exemple.example/");

  private final FhirContext context = FhirContext.forR4();
  private final TreeMap<String, StructureDefinition> profiles = new TreeMap<>();
  private final ValidationSupportChain chain;
  private final FhirValidator validator;

  private Judge(List<Path> folders) throws IOException {
    PrePopulatedValidationSupport defined = new PrePopulatedValidationSupport(context);
    for (Path folder : folders) {
      for (Path file : files(folder, false)) {
        add(defined, file);
      }
    }
    UnknownCodeSystemWarningValidationSupport unknown = new UnknownCodeSystemWarningValidationSupport(context);
    unknown.setNonExistentCodeSystemSeverity(IValidationSupport.IssueSeverity.WARNING);
    chain =
        new ValidationSupportChain(
            defined,
            new Base(context),
            new SnapshotGeneratingValidationSupport(context),
            new CommonCodeSystemsTerminologyService(context),
            new InMemoryTerminologyServerValidationSupport(context),
            unknown);
    FhirInstanceValidator module = new FhirInstanceValidator(chain);
    module.setErrorForUnknownProfiles(true);
    module.setAnyExtensionsAllowed(false);
    // What clients of the tests send of their own, which is kept and given back.
    module.setCustomExtensionDomains(INVENTED);
    module.setBestPracticeWarningLevel(BestPracticeWarningLevel.Warning);
    validator = context.newValidator().registerValidatorModule(module);
  }

  public static void main(String[] arguments) throws IOException {
    List<Path> definitions = new ArrayList<>();
    Path input = null;
    Path report = null;
    for (int at = 0; at + 1 < arguments.length; at += 2) {
      Path said = Path.of(arguments[at + 1]);
      switch (arguments[at]) {
        case "--definitions" -> definitions.add(said);
        case "--input" -> input = said;
        case "--report" -> report = said;
        default -> throw new IllegalArgumentException(arguments[at]);
      }
    }
    if (input == null || report == null) {
      throw new IllegalArgumentException("--input and --report are needed");
    }
    new Judge(definitions).judge(input, report);
  }

  private void add(PrePopulatedValidationSupport defined, Path file) throws IOException {
    IParser parser = context.newJsonParser();
    IBaseResource resource = parser.parseResource(Files.readString(file));
    switch (resource.fhirType()) {
      case "StructureDefinition" -> {
        StructureDefinition profile = (StructureDefinition) resource;
        profiles.put(profile.getUrl(), profile);
        defined.addStructureDefinition(resource);
      }
      case "ValueSet" -> defined.addValueSet(resource);
      case "CodeSystem" -> defined.addCodeSystem(resource);
      default -> {}
    }
  }

  private void judge(Path input, Path report) throws IOException {
    long begun = System.nanoTime();
    ObjectNode told = JSON.createObjectNode();
    ArrayNode files = told.putArray("files");
    // The cores there are, each a file at a time.
    files(input, true).parallelStream().map(file -> judged(input, file)).toList().forEach(files::add);
    unverified(told.putArray("unverified"));
    told.put("seconds", (System.nanoTime() - begun) / 1_000_000_000.0);
    JSON.writerWithDefaultPrettyPrinter().writeValue(report.toFile(), told);
  }

  /** Base R4, also under the version that some packages add to its addresses. */
  private static final class Base extends DefaultProfileValidationSupport {
    private static final String VERSION = "|4.0.1";

    Base(FhirContext context) {
      super(context);
    }

    @Override
    public IBaseResource fetchStructureDefinition(String url) {
      return super.fetchStructureDefinition(
          url.endsWith(VERSION) ? url.substring(0, url.length() - VERSION.length()) : url);
    }
  }

  private ObjectNode judged(Path input, Path file) {
    ObjectNode one = JSON.createObjectNode();
    one.put("file", input.relativize(file).toString());
    ArrayNode issues = one.putArray("issues");
    try {
      for (SingleValidationMessage message : validator.validateWithResult(read(file)).getMessages()) {
        ObjectNode issue = issues.addObject();
        issue.put("severity", message.getSeverity().getCode());
        issue.put("id", message.getMessageId());
        issue.put("location", message.getLocationString());
        issue.put("message", message.getMessage());
      }
    } catch (RuntimeException failure) {
      // What breaks the validator ("language": "1;q=") is no resource that others read.
      ObjectNode issue = issues.addObject();
      issue.put("severity", "error");
      issue.put("id", "JUDGE_FAILED");
      issue.put("location", "");
      issue.put("message", failure.toString());
    }
    return one;
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
  }

  /** The value sets that profiles require and that nothing here can expand: their codes were not checked. */
  private void unverified(ArrayNode told) {
    TreeMap<String, TreeSet<String>> required = new TreeMap<>();
    for (StructureDefinition profile : profiles.values()) {
      for (ElementDefinition element : profile.getSnapshot().getElement()) {
        if (element.getBinding().getStrength() == BindingStrength.REQUIRED && element.getBinding().hasValueSet()) {
          required.computeIfAbsent(element.getBinding().getValueSet(), key -> new TreeSet<>()).add(element.getId());
        }
      }
    }
    required.forEach(
        (url, elements) -> {
          String why = why(url);
          if (why != null) {
            ObjectNode one = told.addObject();
            one.put("valueSet", url);
            one.put("why", why);
            ArrayNode where = one.putArray("elements");
            elements.forEach(where::add);
          }
        });
  }

  private String why(String url) {
    IBaseResource found = chain.fetchValueSet(url);
    if (found == null) {
      return "in no package";
    }
    ValidationSupportContext root = new ValidationSupportContext(chain);
    IValidationSupport.ValueSetExpansionOutcome expanded = chain.expandValueSet(root, null, found);
    if (expanded == null || expanded.getError() != null) {
      return expanded == null ? "not expanded" : expanded.getError();
    }
    boolean empty = ((ValueSet) expanded.getValueSet()).getExpansion().getContains().isEmpty();
    return empty ? "expands to nothing" : null;
  }

  private static List<Path> files(Path folder, boolean withXml) throws IOException {
    try (Stream<Path> walk = Files.walk(folder)) {
      return walk.filter(Files::isRegularFile)
          .filter(file -> withXml || !isAside(folder, file))
          .filter(file -> file.toString().endsWith(".json") || withXml && file.toString().endsWith(".xml"))
          .sorted()
          .toList();
    }
  }

  private static boolean isAside(Path folder, Path file) {
    for (Path part : folder.relativize(file)) {
      if (NOT_DEFINITIONS.contains(part.toString())) {
        return true;
      }
    }
    return file.getFileName().toString().equals("package.json");
  }
}
