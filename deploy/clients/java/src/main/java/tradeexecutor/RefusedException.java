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

    /** The whole answer, as it came. */
    public JsonObject answer() {
        return answer;
    }
}
