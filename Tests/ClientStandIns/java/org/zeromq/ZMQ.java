package org.zeromq;

import com.sun.jna.Library;
import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.NativeLong;
import com.sun.jna.Pointer;
import java.util.Set;

/**
 * What the Java client uses of JeroMQ, under the same names, for machines that cannot have the original. It calls libzmq.
 */
public final class ZMQ {
    interface LibZMQ extends Library {
        LibZMQ ZMQ = Native.load("libzmq.so.5", LibZMQ.class);

        Pointer zmq_ctx_new();

        Pointer zmq_socket(Pointer context, int type);

        int zmq_close(Pointer socket);

        int zmq_setsockopt(Pointer socket, int option, byte[] value, NativeLong size);

        int zmq_connect(Pointer socket, String endpoint);

        int zmq_send(Pointer socket, byte[] body, NativeLong size, int flags);

        int zmq_msg_init(Pointer message);

        int zmq_msg_recv(Pointer message, Pointer socket, int flags);

        Pointer zmq_msg_data(Pointer message);

        int zmq_msg_more(Pointer message);

        int zmq_msg_close(Pointer message);
    }

    private static final LibZMQ LIBRARY = LibZMQ.ZMQ;
    private static final Pointer CONTEXT = LIBRARY.zmq_ctx_new();
    private static final int EINTR = 4;
    private static final int EAGAIN = 11;

    public static final class Socket {
        private final Pointer socket;
        private final Set<Socket> owner;
        private boolean more;

        Socket(SocketType type, Set<Socket> owner) {
            this.owner = owner;
            socket = LIBRARY.zmq_socket(CONTEXT, type.number);
        }

        public void close() {
            if (owner.remove(this)) {
                LIBRARY.zmq_close(socket);
            }
        }

        private boolean set(int option, byte[] value) {
            if (LIBRARY.zmq_setsockopt(socket, option, value, new NativeLong(value.length)) != 0) {
                throw new IllegalArgumentException("option " + option);
            }
            return true;
        }

        private boolean set(int option, int value) {
            // Least significant byte first, as on the machines that have this.
            return set(option, new byte[] {
                (byte) value, (byte) (value >> 8), (byte) (value >> 16), (byte) (value >> 24)
            });
        }

        public boolean setLinger(int milliseconds) {
            return set(17, milliseconds);
        }

        public boolean setReceiveTimeOut(int milliseconds) {
            return set(27, milliseconds);
        }

        public boolean setCurvePublicKey(byte[] key) {
            return set(48, key);
        }

        public boolean setCurveSecretKey(byte[] key) {
            return set(49, key);
        }

        public boolean setCurveServerKey(byte[] key) {
            return set(50, key);
        }

        public boolean subscribe(byte[] topic) {
            return set(6, topic);
        }

        public boolean connect(String endpoint) {
            if (LIBRARY.zmq_connect(socket, endpoint) != 0) {
                throw new IllegalArgumentException(endpoint);
            }
            return true;
        }

        public boolean send(byte[] body) {
            while (LIBRARY.zmq_send(socket, body, new NativeLong(body.length), 0) < 0) {
                if (Native.getLastError() != EINTR) {
                    return false;
                }
            }
            return true;
        }

        /** Null where nothing has come within the time-out. */
        public byte[] recv() {
            Memory message = new Memory(64);
            LIBRARY.zmq_msg_init(message);
            int size;
            while ((size = LIBRARY.zmq_msg_recv(message, socket, 0)) < 0) {
                int error = Native.getLastError();
                if (error == EAGAIN) {
                    return null;
                }
                if (error != EINTR) {
                    throw new IllegalStateException("error " + error);
                }
            }
            byte[] frame = LIBRARY.zmq_msg_data(message).getByteArray(0, size);
            more = LIBRARY.zmq_msg_more(message) != 0;
            LIBRARY.zmq_msg_close(message);
            return frame;
        }

        public boolean hasReceiveMore() {
            return more;
        }
    }
}
