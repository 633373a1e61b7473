// Package client publishes trade decisions to trade-executor and follows their outcomes: nothing lost, nothing doubled.
package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"syscall"
	"time"

	zmq "github.com/pebbe/zmq4"
)

const (
	DefaultIntake   = "tcp://127.0.0.1:5555"
	DefaultOutcomes = "tcp://127.0.0.1:5556"

	// How long to wait for an answer before the same bytes are sent again.
	ackWait = 2 * time.Second
)

// Ack says that a decision is on disk at the worker and will not be lost.
type Ack struct {
	DecisionID   string `json:"decision_id"`
	StrategyName string `json:"strategy_name"`
	// The place in the order of acceptance.
	DecisionSeq int64 `json:"decision_seq"`
	// Whether it had been accepted before; then nothing new was begun.
	Duplicate bool   `json:"duplicate"`
	Stream    string `json:"stream"`
	// The whole message, as it came.
	Raw json.RawMessage `json:"-"`
}

// Refused is the error of a message that the worker does not take. Nothing of a refused decision reaches the broker.
// One exception: with the code storage_failed it is not known; the same decision, published again, gives the answer.
type Refused struct {
	Code    string `json:"code"`
	Field   string `json:"field"`
	Message string `json:"message"`
	// Whether the same may be taken later.
	Retry bool `json:"retry"`
	// With the code wrong_partition: the intake of the worker that serves the strategy; empty where it is not known.
	Endpoint string `json:"endpoint"`
	// The whole message, as it came.
	Raw json.RawMessage `json:"-"`
}

func (r *Refused) Error() string { return r.Code + ": " + r.Message }

// Publisher has one decision in flight. Use one per strategy; goroutines that share one wait for each other.
type Publisher struct {
	mutex  sync.Mutex
	intake intake
}

// NewPublisher connects when it first publishes. Without keys it speaks no CURVE.
func NewPublisher(endpoint string, keys *CurveKeys) *Publisher {
	return &Publisher{intake: intake{endpoint: endpoint, keys: keys}}
}

func (p *Publisher) Close() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.intake.disconnect()
}

// Publish returns once the decision is on disk at the worker. The decision is a struct or a map with the members of the
// contract, without "v"; write amounts as strings. Without an answer within 2 s the same bytes are sent again, until the
// context ends: then it is not known whether the worker has the decision; publish the same one again, never another one
// in its place. A refusal is a *Refused.
func (p *Publisher) Publish(ctx context.Context, decision any) (*Ack, error) {
	body, err := versioned(decision)
	if err != nil {
		return nil, err
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	answer, err := p.intake.ask(ctx, body, "ack")
	if err != nil {
		return nil, err
	}
	ack := &Ack{Raw: answer}
	return ack, json.Unmarshal(answer, ack)
}

// versioned is the decision's message, always the same for the same decision.
func versioned(decision any) ([]byte, error) {
	body, err := json.Marshal(decision)
	if err != nil {
		return nil, err
	}
	members := map[string]json.RawMessage{}
	if err := json.Unmarshal(body, &members); err != nil {
		return nil, fmt.Errorf("a decision is a JSON object: %w", err)
	}
	members["v"] = json.RawMessage("1")
	return json.Marshal(members) // keys are sorted
}

// intake is a connection to the worker's intake.
type intake struct {
	endpoint string
	keys     *CurveKeys
	socket   *zmq.Socket
}

func (i *intake) ask(ctx context.Context, body []byte, kind string) (json.RawMessage, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("%s has not answered: %w", i.endpoint, err)
		}
		wait := ackWait
		if deadline, limited := ctx.Deadline(); limited && time.Until(deadline) < wait {
			wait = time.Until(deadline)
		}
		answer, err := i.attempt(body, wait)
		if err == nil {
			return read(answer, kind)
		}
		// A late answer goes nowhere, and can't be taken for that to another question.
		i.disconnect()
		if !isTimeout(err) {
			return nil, err
		}
	}
}

func (i *intake) attempt(body []byte, wait time.Duration) ([]byte, error) {
	if i.socket == nil {
		socket, err := connect(zmq.DEALER, i.endpoint, i.keys)
		if err != nil {
			return nil, err
		}
		i.socket = socket
	}
	if _, err := i.socket.SendBytes(body, 0); err != nil {
		return nil, err
	}
	return receive(i.socket, wait)
}

func (i *intake) disconnect() {
	if i.socket != nil {
		i.socket.Close()
		i.socket = nil
	}
}

func connect(kind zmq.Type, endpoint string, keys *CurveKeys, topics ...string) (*zmq.Socket, error) {
	socket, err := zmq.NewSocket(kind)
	if err != nil {
		return nil, err
	}
	err = socket.SetLinger(0)
	if err == nil && keys != nil {
		err = socket.ClientAuthCurve(keys.Server, keys.Public, keys.Secret)
	}
	for _, topic := range topics {
		if err == nil {
			err = socket.SetSubscribe(topic)
		}
	}
	if err == nil {
		err = socket.Connect(endpoint)
	}
	if err != nil {
		socket.Close()
		return nil, fmt.Errorf("%s: %w", endpoint, err)
	}
	return socket, nil
}

// receive is the last frame of the next message; isTimeout tells when none has come.
func receive(socket *zmq.Socket, wait time.Duration) ([]byte, error) {
	if wait < time.Millisecond {
		wait = time.Millisecond
	}
	if err := socket.SetRcvtimeo(wait); err != nil {
		return nil, err
	}
	frames, err := socket.RecvMessageBytes(0)
	if err != nil {
		return nil, err
	}
	return frames[len(frames)-1], nil
}

func isTimeout(err error) bool { return zmq.AsErrno(err) == zmq.Errno(syscall.EAGAIN) }

// read gives back an answer of this kind; a refusal becomes an error.
func read(answer []byte, kind string) (json.RawMessage, error) {
	var head struct{ Type, Status string }
	if err := json.Unmarshal(answer, &head); err != nil {
		return nil, fmt.Errorf("what answers is no worker: %w", err)
	}
	if head.Type == "ack" && head.Status == "refused" {
		refused := &Refused{Raw: answer}
		if err := json.Unmarshal(answer, refused); err != nil {
			return nil, err
		}
		return nil, refused
	}
	if head.Type != kind {
		return nil, errors.New("what answers is no worker: no " + kind)
	}
	return answer, nil
}
