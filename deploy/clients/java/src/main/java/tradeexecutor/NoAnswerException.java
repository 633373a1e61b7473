package tradeexecutor;

/**
 * The time is over. Whether the worker has the decision is not known: publish the same one again, never another one in
 * its place.
 */
public final class NoAnswerException extends Exception {
    NoAnswerException(String endpoint) {
        super(endpoint + " has not answered in time");
    }
}
