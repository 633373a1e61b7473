package tradeexecutor;

import com.google.gson.JsonObject;

/**
 * The worker does not take a message. Nothing of a refused decision reaches the broker. One exception: with the code
 * {@code storage_failed} it is not known; the same decision, published again, gives the answer.
 */
public final class RefusedException extends Exception {
    private final transient JsonObject answer;

    RefusedException(JsonObject answer) {
        super(answer.get("code").getAsString() + ": " + answer.get("message").getAsString());
        this.answer = answer;
    }

    public String code() {
        return answer.get("code").getAsString();
    }

    /** Whether the same may be taken later. */
    public boolean isWorthRetrying() {
        return answer.get("retry").getAsBoolean();
    }

    /** With the code {@code wrong_partition}: the intake of the worker that serves the strategy; null where it is not known. */
    public String endpoint() {
        return answer.has("endpoint") ? answer.get("endpoint").getAsString() : null;
    }

    /** The whole answer, as it came. */
    public JsonObject answer() {
        return answer;
    }
}
