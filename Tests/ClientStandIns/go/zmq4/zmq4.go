// Package zmq4 has what the Go client uses of github.com/pebbe/zmq4, under the same names, for machines that cannot
// have the original. It calls libzmq as the original does.
package zmq4

/*
#cgo LDFLAGS: -lzmq
#include <stdlib.h>
#include <zmq.h>
*/
import "C"

import (
	"syscall"
	"time"
	"unsafe"
)

type (
	Type  int
	Flag  int
	Errno uintptr
)

const (
	DEALER = Type(C.ZMQ_DEALER)
	SUB    = Type(C.ZMQ_SUB)
)

func (e Errno) Error() string { return C.GoString(C.zmq_strerror(C.int(e))) }

func AsErrno(err error) Errno {
	switch number := err.(type) {
	case Errno:
		return number
	case syscall.Errno:
		return Errno(number)
	}
	return 0
}

var context = C.zmq_ctx_new()

type Socket struct{ socket unsafe.Pointer }

func failure(err error) error {
	if number, is := err.(syscall.Errno); is && number >= C.ZMQ_HAUSNUMERO {
		return Errno(number)
	}
	return err
}

func NewSocket(kind Type) (*Socket, error) {
	socket, err := C.zmq_socket(context, C.int(kind))
	if socket == nil {
		return nil, failure(err)
	}
	return &Socket{socket}, nil
}

func (s *Socket) Close() error {
	C.zmq_close(s.socket)
	return nil
}

func (s *Socket) text(option C.int, value string) error {
	bytes := C.CString(value)
	defer C.free(unsafe.Pointer(bytes))
	if code, err := C.zmq_setsockopt(s.socket, option, unsafe.Pointer(bytes), C.size_t(len(value))); code != 0 {
		return failure(err)
	}
	return nil
}

func (s *Socket) milliseconds(option C.int, value time.Duration) error {
	number := C.int(value / time.Millisecond)
	if code, err := C.zmq_setsockopt(s.socket, option, unsafe.Pointer(&number), C.sizeof_int); code != 0 {
		return failure(err)
	}
	return nil
}

func (s *Socket) SetLinger(value time.Duration) error   { return s.milliseconds(C.ZMQ_LINGER, value) }
func (s *Socket) SetRcvtimeo(value time.Duration) error { return s.milliseconds(C.ZMQ_RCVTIMEO, value) }
func (s *Socket) SetSubscribe(filter string) error      { return s.text(C.ZMQ_SUBSCRIBE, filter) }

func (s *Socket) ClientAuthCurve(server, public, secret string) error {
	if err := s.text(C.ZMQ_CURVE_SERVERKEY, server); err != nil {
		return err
	}
	if err := s.text(C.ZMQ_CURVE_PUBLICKEY, public); err != nil {
		return err
	}
	return s.text(C.ZMQ_CURVE_SECRETKEY, secret)
}

func (s *Socket) Connect(endpoint string) error {
	text := C.CString(endpoint)
	defer C.free(unsafe.Pointer(text))
	if code, err := C.zmq_connect(s.socket, text); code != 0 {
		return failure(err)
	}
	return nil
}

func (s *Socket) SendBytes(data []byte, flags Flag) (int, error) {
	bytes := C.CBytes(data)
	defer C.free(bytes)
	for {
		size, err := C.zmq_send(s.socket, bytes, C.size_t(len(data)), C.int(flags))
		if size >= 0 {
			return int(size), nil
		}
		if err != syscall.EINTR {
			return -1, failure(err)
		}
	}
}

func (s *Socket) RecvMessageBytes(flags Flag) ([][]byte, error) {
	var frames [][]byte
	for {
		var message C.zmq_msg_t
		C.zmq_msg_init(&message)
		size, err := C.zmq_msg_recv(&message, s.socket, C.int(flags))
		if size < 0 {
			C.zmq_msg_close(&message)
			if err == syscall.EINTR {
				continue
			}
			return nil, failure(err)
		}
		frames = append(frames, C.GoBytes(C.zmq_msg_data(&message), size))
		more := C.zmq_msg_more(&message)
		C.zmq_msg_close(&message)
		if more == 0 {
			return frames, nil
		}
	}
}

func (s *Socket) Send(data string, flags Flag) (int, error) { return s.SendBytes([]byte(data), flags) }

func (s *Socket) Recv(flags Flag) (string, error) {
	frames, err := s.RecvMessageBytes(flags)
	if err != nil {
		return "", err
	}
	return string(frames[0]), nil
}
