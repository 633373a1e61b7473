package tradeexecutor.examples;

import java.nio.file.Path;
import tradeexecutor.CurveKeys;
import tradeexecutor.Position;
import tradeexecutor.Publisher;
import tradeexecutor.Subscriber;

/**
 * Prints a strategy's outcomes, each once and in order, and keeps its position in a file.
 *
 * <p>Subscribe STRATEGY POSITION_FILE [OUTCOMES INTAKE [OUR_SECRET_KEY_FILE WORKERS_PUBLIC_KEY_FILE]]
 */
public final class Subscribe {
    public static void main(String[] arguments) throws Exception {
        Path positionFile = Path.of(arguments[1]);
        String outcomes = arguments.length > 3 ? arguments[2] : Subscriber.DEFAULT_OUTCOMES;
        String intake = arguments.length > 3 ? arguments[3] : Publisher.DEFAULT_INTAKE;
        CurveKeys keys =
                arguments.length > 5 ? CurveKeys.load(Path.of(arguments[4]), Path.of(arguments[5])) : null;
        Position position = Position.load(positionFile);
        try (Subscriber subscriber = new Subscriber(arguments[0], position, outcomes, intake, keys)) {
            while (true) {
                System.out.println(subscriber.next());
                // Only now: an outcome that was not handled comes again.
                subscriber.position().save(positionFile);
            }
        }
    }
}
