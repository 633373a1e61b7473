package client

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"time"

	zmq "github.com/pebbe/zmq4"
)

// A heartbeat comes every second; after so long without one we are cut off.
const silence = 5 * time.Second

// Outcome is what came of a decision, at one moment. Amounts stay the text that they are.
type Outcome struct {
	Stream       string  `json:"stream"`
	Seq          int64   `json:"seq"`
	StrategySeq  int64   `json:"strategy_seq"`
	DecisionID   string  `json:"decision_id"`
	StrategyName string  `json:"strategy_name"`
	Symbol       *string `json:"symbol"`
	Side         *string `json:"side"`
	Quantity     *string `json:"quantity"`
	Notional     *string `json:"notional"`
	// pending, success, partial, failed or unknown.
	Result string `json:"result"`
	// Whether nothing more will come of this decision.
	Final  bool    `json:"final"`
	Reason *string `json:"reason"`
	// Nil for a decision that was refused before it was sent.
	Execution *Execution `json:"execution"`
	// The whole message, as it came.
	Raw json.RawMessage `json:"-"`
}

// Execution is the one attempt at the broker.
type Execution struct {
	Status         string  `json:"status"`
	Certainty      string  `json:"certainty"`
	AlpacaOrderID  *string `json:"alpaca_order_id"`
	ErrorMessage   *string `json:"error_message"`
	FilledQuantity *string `json:"filled_quantity"`
	FilledAvgPrice *string `json:"filled_avg_price"`
}

// Position tells up to where a strategy's outcomes have been handled: what to keep on disk.
type Position struct {
	// The worker's database; empty before anything was heard of it.
	Stream string `json:"stream"`
	// The last strategy_seq.
	Counter int64 `json:"counter"`
}

// LoadPosition is the beginning where there is no such file.
func LoadPosition(path string) (Position, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return Position{}, nil
	}
	if err != nil {
		return Position{}, err
	}
	var position Position
	return position, json.Unmarshal(text, &position)
}

// Save replaces the file in one step, so that a crash leaves the old or the new one.
func (p Position) Save(path string) error {
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".position-*")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	if _, err = file.Write(text); err == nil {
		err = file.Sync()
	}
	if closing := file.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}

// Subscriber gives a strategy's outcomes, each once and in order. What the topic lost is replayed from the worker. To be
// used by one goroutine.
type Subscriber struct {
	// Of the last outcome that Next gave.
	Position Position

	strategy string
	outcomes string
	keys     *CurveKeys
	intake   intake
	live     *zmq.Socket
	// When something last came, or we connected.
	alive time.Time

	// Only the answer to a replay changes the stream: live messages of an older database may still wait in the queue
	// when the worker has begun another one.
	stream string
	last   int64
	behind bool
	ready  []*Outcome
}

func NewSubscriber(strategy string, after Position, outcomes, intakeEndpoint string, keys *CurveKeys) *Subscriber {
	return &Subscriber{
		Position: after, strategy: strategy, outcomes: outcomes, keys: keys,
		intake: intake{endpoint: intakeEndpoint, keys: keys},
		stream: after.Stream, last: after.Counter,
	}
}

func (s *Subscriber) Close() {
	s.intake.disconnect()
	s.disconnect()
}

// Next waits for the next outcome. It sees the end of the context within 2 s.
func (s *Subscriber) Next(ctx context.Context) (*Outcome, error) {
	for len(s.ready) == 0 {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if s.behind {
			if err := s.catchUp(ctx); err != nil {
				return nil, err
			}
		} else if err := s.listen(); err != nil {
			return nil, err
		}
	}
	outcome := s.ready[0]
	s.ready = s.ready[1:]
	// Not the outcome's own stream: one from before a restoration or a move names the stream of then.
	s.Position = Position{Stream: s.stream, Counter: outcome.StrategySeq}
	return outcome, nil
}

// listen takes one message of the topic.
func (s *Subscriber) listen() error {
	if s.live == nil {
		socket, err := connect(zmq.SUB, s.outcomes, s.keys, "outcome|"+s.strategy+"|", "heartbeat|")
		if err != nil {
			return err
		}
		s.live, s.alive = socket, time.Now()
	}
	body, err := receive(s.live, time.Second)
	if err != nil {
		if !isTimeout(err) {
			return err
		}
		if time.Since(s.alive) > silence {
			// A connection that was refused, or whose other end vanished, never comes back.
			s.disconnect()
		}
		return nil
	}
	s.alive = time.Now()
	var message struct {
		Type, Stream string
		Strategies   map[string]int64
	}
	if err := json.Unmarshal(body, &message); err != nil {
		return err
	}
	switch {
	case message.Stream != s.stream:
		s.behind = true
	case message.Type == "heartbeat":
		s.behind = message.Strategies[s.strategy] > s.last
	case message.Type == "outcome":
		outcome, err := readOutcome(body)
		if err != nil {
			return err
		}
		if outcome.StrategySeq == s.last+1 {
			s.take(outcome)
		} else {
			s.behind = outcome.StrategySeq > s.last
		}
	}
	return nil
}

func (s *Subscriber) disconnect() {
	if s.live != nil {
		s.live.Close()
		s.live = nil
	}
}

func (s *Subscriber) catchUp(ctx context.Context) error {
	request, err := json.Marshal(map[string]any{
		"v": 1, "type": "replay", "strategy_name": s.strategy, "after": s.last,
	})
	if err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, ackWait)
	defer cancel()
	answer, err := s.intake.ask(limited, request, "replay")
	var refused *Refused
	if errors.Is(err, context.DeadlineExceeded) || errors.As(err, &refused) && refused.Retry {
		// The next heartbeat tells again that something is missing.
		s.behind = false
		return nil
	}
	if err != nil {
		return err
	}
	var page struct {
		Outcomes []json.RawMessage
		More     bool
		Stream   string
	}
	if err := json.Unmarshal(answer, &page); err != nil {
		return err
	}
	otherDatabase := s.stream != "" && page.Stream != s.stream
	s.stream = page.Stream
	if otherDatabase && s.last > 0 {
		// Its counters begin anew: ask again, from its beginning.
		s.last = 0
		return nil
	}
	for _, body := range page.Outcomes {
		outcome, err := readOutcome(body)
		if err != nil {
			return err
		}
		if outcome.StrategySeq > s.last {
			s.take(outcome)
		}
	}
	s.behind = page.More
	return nil
}

func (s *Subscriber) take(outcome *Outcome) {
	s.last = outcome.StrategySeq
	s.ready = append(s.ready, outcome)
}

func readOutcome(body []byte) (*Outcome, error) {
	outcome := &Outcome{Raw: body}
	return outcome, json.Unmarshal(body, outcome)
}
