package tradeexecutor;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.zeromq.ZMQ;

/** Our key pair and the worker's public key, each as 40 characters of Z85. */
public final class CurveKeys {
    private final byte[] publicKey;
    private final byte[] secretKey;
    private final byte[] serverKey;

    private CurveKeys(byte[] publicKey, byte[] secretKey, byte[] serverKey) {
        this.publicKey = publicKey;
        this.secretKey = secretKey;
        this.serverKey = serverKey;
    }

    /**
     * From the files of {@code trade-executor keys generate}: our {@code NAME.key_secret}, the worker's public
     * {@code NAME.key}.
     */
    public static CurveKeys load(Path secretFile, Path serverFile) throws IOException {
        return new CurveKeys(
                find(secretFile, "public-key"), find(secretFile, "secret-key"), find(serverFile, "public-key"));
    }

    void apply(ZMQ.Socket socket) {
        socket.setCurvePublicKey(publicKey);
        socket.setCurveSecretKey(secretKey);
        socket.setCurveServerKey(serverKey);
    }

    private static byte[] find(Path file, String name) throws IOException {
        for (String line : Files.readAllLines(file)) {
            // A # begins a comment only at the start of a line: keys contain it too.
            int equals = line.indexOf('=');
            if (equals < 0 || !line.substring(0, equals).trim().equals(name)) {
                continue;
            }
            String value = line.substring(equals + 1).trim().replaceAll("^[\"']|[\"']$", "");
            if (value.length() == 40) {
                return value.getBytes(StandardCharsets.US_ASCII);
            }
        }
        throw new IOException(file + " has no " + name + " of 40 characters");
    }
}
