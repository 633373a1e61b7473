package tradeexecutor.examples;

import com.google.gson.JsonParser;
import java.nio.file.Path;
import tradeexecutor.CurveKeys;
import tradeexecutor.Publisher;
import tradeexecutor.RefusedException;

/**
 * Publishes one decision and prints its acknowledgement; exit code 1 where it is refused.
 *
 * <p>Publish DECISION [INTAKE [OUR_SECRET_KEY_FILE WORKERS_PUBLIC_KEY_FILE]]
 */
public final class Publish {
    public static void main(String[] arguments) throws Exception {
        String intake = arguments.length > 1 ? arguments[1] : Publisher.DEFAULT_INTAKE;
        CurveKeys keys =
                arguments.length > 3 ? CurveKeys.load(Path.of(arguments[2]), Path.of(arguments[3])) : null;
        try (Publisher publisher = new Publisher(intake, keys)) {
            System.out.println(publisher.publish(JsonParser.parseString(arguments[0]).getAsJsonObject()));
        } catch (RefusedException refusal) {
            System.out.println(refusal.answer());
            System.exit(1);
        }
    }
}
