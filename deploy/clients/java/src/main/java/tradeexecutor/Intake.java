package tradeexecutor;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.zeromq.SocketType;
import org.zeromq.ZContext;
import org.zeromq.ZMQ;

/** A connection to the worker's intake. */
final class Intake {
    /** How long to wait for an answer before the same bytes are sent again. */
    static final Duration ACK_WAIT = Duration.ofSeconds(2);

    private final ZContext context;
    private final String endpoint;
    private final CurveKeys keys;
    private ZMQ.Socket socket;

    /** Without keys, null, it speaks no CURVE. */
    Intake(ZContext context, String endpoint, CurveKeys keys) {
        this.context = context;
        this.endpoint = endpoint;
        this.keys = keys;
    }

    /** Asks for as long as it takes, where the time-out is null. */
    JsonObject ask(JsonObject request, String type, Duration timeout) throws RefusedException, NoAnswerException {
        byte[] body = request.toString().getBytes(StandardCharsets.UTF_8);
        long end = timeout == null ? 0 : System.nanoTime() + timeout.toNanos();
        while (true) {
            long wait = ACK_WAIT.toMillis();
            if (timeout != null) {
                wait = Math.min(wait, (end - System.nanoTime()) / 1_000_000);
            }
            if (wait <= 0) {
                throw new NoAnswerException(endpoint);
            }
            JsonObject answer = attempt(body, (int) wait);
            if (answer == null) {
                continue;
            }
            String answered = answer.get("type").getAsString();
            if (answered.equals("ack") && answer.get("status").getAsString().equals("refused")) {
                throw new RefusedException(answer);
            }
            if (!answered.equals(type)) {
                throw new IllegalStateException("asked for " + type + ", got " + answer);
            }
            return answer;
        }
    }

    private JsonObject attempt(byte[] body, int milliseconds) {
        if (socket == null) {
            socket = connect(context, SocketType.DEALER, endpoint, keys);
        }
        socket.send(body);
        JsonObject answer = receive(socket, milliseconds);
        if (answer == null) {
            // A late answer goes nowhere, and can't be taken for that to another question.
            socket.close();
            socket = null;
        }
        return answer;
    }

    static ZMQ.Socket connect(ZContext context, SocketType type, String endpoint, CurveKeys keys, String... topics) {
        ZMQ.Socket socket = context.createSocket(type);
        socket.setLinger(0);
        if (keys != null) {
            keys.apply(socket);
        }
        for (String topic : topics) {
            socket.subscribe(topic.getBytes(StandardCharsets.UTF_8));
        }
        socket.connect(endpoint);
        return socket;
    }

    /** The last frame of the next message, or null where none has come. */
    static JsonObject receive(ZMQ.Socket socket, int milliseconds) {
        socket.setReceiveTimeOut(milliseconds);
        byte[] frame = socket.recv();
        while (frame != null && socket.hasReceiveMore()) {
            frame = socket.recv();
        }
        if (frame == null) {
            return null;
        }
        return JsonParser.parseString(new String(frame, StandardCharsets.UTF_8)).getAsJsonObject();
    }
}
