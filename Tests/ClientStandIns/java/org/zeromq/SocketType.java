package org.zeromq;

/** Of JeroMQ's socket types those that the client uses. */
public enum SocketType {
    DEALER(5),
    SUB(2);

    final int number;

    SocketType(int number) {
        this.number = number;
    }
}
