package org.zeromq;

import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Of JeroMQ's context what the client uses, on libzmq. */
public final class ZContext implements AutoCloseable {
    private final Set<ZMQ.Socket> sockets = new HashSet<>();

    public ZMQ.Socket createSocket(SocketType type) {
        ZMQ.Socket socket = new ZMQ.Socket(type, sockets);
        sockets.add(socket);
        return socket;
    }

    @Override
    public void close() {
        List.copyOf(sockets).forEach(ZMQ.Socket::close);
    }
}
