package tradeexecutor;

import com.google.gson.JsonObject;
import java.time.Duration;
import org.zeromq.ZContext;

/** Publishes decisions, one at a time. Use one per strategy; threads that share one wait for each other. */
public final class Publisher implements AutoCloseable {
    public static final String DEFAULT_INTAKE = "tcp://127.0.0.1:5555";

    private final ZContext context = new ZContext();
    private final Intake intake;

    public Publisher() {
        this(DEFAULT_INTAKE, null);
    }

    /** Without keys, null, it speaks no CURVE. */
    public Publisher(String intake, CurveKeys keys) {
        this.intake = new Intake(context, intake, keys);
    }

    /**
     * Returns the acknowledgement once the decision is on disk at the worker. Without an answer within 2 s the same bytes
     * are sent again, for as long as it takes.
     *
     * @param decision the members of the contract, without {@code v}; write amounts as strings
     */
    public JsonObject publish(JsonObject decision) throws RefusedException {
        try {
            return ask(decision, null);
        } catch (NoAnswerException impossible) {
            throw new AssertionError(impossible);
        }
    }

    /** The same, but no longer than the time-out. */
    public JsonObject publish(JsonObject decision, Duration timeout) throws RefusedException, NoAnswerException {
        return ask(decision, timeout);
    }

    private synchronized JsonObject ask(JsonObject decision, Duration timeout)
            throws RefusedException, NoAnswerException {
        JsonObject message = decision.deepCopy();
        message.addProperty("v", 1);
        return intake.ask(message, "ack", timeout);
    }

    @Override
    public synchronized void close() {
        context.close();
    }
}
