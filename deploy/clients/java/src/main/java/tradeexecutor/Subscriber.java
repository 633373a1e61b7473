package tradeexecutor;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.util.ArrayDeque;
import java.util.Queue;
import org.zeromq.SocketType;
import org.zeromq.ZContext;
import org.zeromq.ZMQ;

/**
 * Gives a strategy's outcomes, each once and in order. What the topic lost is replayed from the worker. To be used by one
 * thread.
 */
public final class Subscriber implements AutoCloseable {
    public static final String DEFAULT_OUTCOMES = "tcp://127.0.0.1:5556";

    /** A heartbeat comes every second; after so long without one we are cut off. */
    private static final long SILENCE_NANOSECONDS = 5_000_000_000L;

    private final ZContext context = new ZContext();
    private final String strategy;
    private final String outcomes;
    private final CurveKeys keys;
    private final Intake intake;
    private final Queue<JsonObject> ready = new ArrayDeque<>();
    private ZMQ.Socket live;
    private long heard;
    private Position position;

    // Only the answer to a replay changes the stream: live messages of an older database may still wait in the queue when
    // the worker has begun another one.
    private String stream;
    private long last;
    private boolean behind;

    /** Without keys, null, it speaks no CURVE. */
    public Subscriber(String strategy, Position after, String outcomes, String intake, CurveKeys keys) {
        this.strategy = strategy;
        this.outcomes = outcomes;
        this.keys = keys;
        this.intake = new Intake(context, intake, keys);
        this.position = after;
        this.stream = after.stream;
        this.last = after.counter;
    }

    /** Of the last outcome that {@link #next} gave. */
    public Position position() {
        return position;
    }

    /** Waits for the next outcome. */
    public JsonObject next() throws RefusedException {
        while (ready.isEmpty()) {
            if (behind) {
                catchUp();
            } else {
                listen();
            }
        }
        JsonObject outcome = ready.remove();
        // Not the outcome's own stream: one from before a restoration or a move names the stream of then.
        position = new Position(stream, counter(outcome));
        return outcome;
    }

    /** Takes one message of the topic. */
    private void listen() {
        if (live == null) {
            live = Intake.connect(
                    context, SocketType.SUB, outcomes, keys, "outcome|" + strategy + "|", "heartbeat|");
            heard = System.nanoTime();
        }
        JsonObject message = Intake.receive(live, 1000);
        if (message == null) {
            if (System.nanoTime() - heard > SILENCE_NANOSECONDS) {
                // A connection that was refused, or whose other end vanished, never comes back.
                live.close();
                live = null;
            }
            return;
        }
        heard = System.nanoTime();
        String type = message.get("type").getAsString();
        if (!message.get("stream").getAsString().equals(stream)) {
            behind = true;
        } else if (type.equals("heartbeat")) {
            JsonElement newest = message.getAsJsonObject("strategies").get(strategy);
            behind = newest != null && newest.getAsLong() > last;
        } else if (type.equals("outcome")) {
            if (counter(message) == last + 1) {
                take(message);
            } else {
                behind = counter(message) > last;
            }
        }
    }

    private void catchUp() throws RefusedException {
        JsonObject request = new JsonObject();
        request.addProperty("v", 1);
        request.addProperty("type", "replay");
        request.addProperty("strategy_name", strategy);
        request.addProperty("after", last);
        JsonObject page;
        try {
            page = intake.ask(request, "replay", Intake.ACK_WAIT);
        } catch (NoAnswerException none) {
            behind = false; // the next heartbeat tells again that something is missing
            return;
        } catch (RefusedException refusal) {
            if (!refusal.isWorthRetrying()) {
                throw refusal;
            }
            behind = false;
            return;
        }
        String before = stream;
        stream = page.get("stream").getAsString();
        if (before != null && !before.equals(stream) && last > 0) {
            last = 0; // another database, whose counters begin anew: ask again, from its beginning
            return;
        }
        for (JsonElement outcome : page.getAsJsonArray("outcomes")) {
            if (counter(outcome.getAsJsonObject()) > last) {
                take(outcome.getAsJsonObject());
            }
        }
        behind = page.get("more").getAsBoolean();
    }

    private void take(JsonObject outcome) {
        last = counter(outcome);
        ready.add(outcome);
    }

    private static long counter(JsonObject outcome) {
        return outcome.get("strategy_seq").getAsLong();
    }

    @Override
    public void close() {
        context.close();
    }
}
