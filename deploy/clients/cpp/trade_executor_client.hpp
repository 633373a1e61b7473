// Publishes trade decisions to trade-executor and follows their outcomes: nothing lost, nothing doubled.
// Needs cppzmq, nlohmann/json and C++17.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <filesystem>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <zmq.hpp>
#include <zmq_addon.hpp>

namespace trade_executor {

using nlohmann::json;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

inline const std::string default_intake = "tcp://127.0.0.1:5555";
inline const std::string default_outcomes = "tcp://127.0.0.1:5556";

// How long to wait for an answer before the same bytes are sent again.
inline constexpr milliseconds ack_wait{2000};
// A heartbeat comes every second; after so long without one we are cut off.
inline constexpr milliseconds silence{5000};

// The worker does not take a message. Nothing of a refused decision reaches the broker. One exception: with the code
// `storage_failed` it is not known; the same decision, published again, gives the answer.
struct Refused : std::runtime_error {
    explicit Refused(json answer)
        : std::runtime_error(answer.at("code").get<std::string>() + ": " + answer.at("message").get<std::string>()),
          message(std::move(answer)) {}

    std::string code() const { return message.at("code"); }
    // Whether the same may be taken later.
    bool retry() const { return message.at("retry"); }
    // With `wrong_partition`: the intake of the worker that serves the strategy; empty where it is not known.
    std::string endpoint() const { return message.value("endpoint", ""); }

    json message;
};

// The time is over. Whether the worker has the decision is not known: publish the same one again, never another one in
// its place.
struct NoAnswer : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// Our key pair and the worker's public key, each as 40 characters of Z85.
struct CurveKeys {
    std::string public_key, secret_key, server_key;

    // From the files of `trade-executor keys generate`: our NAME.key_secret, the worker's public NAME.key.
    static CurveKeys load(const std::string& secret_file, const std::string& server_file) {
        return {find(secret_file, "public-key"), find(secret_file, "secret-key"), find(server_file, "public-key")};
    }

    void apply(zmq::socket_t& socket) const {
        socket.set(zmq::sockopt::curve_publickey, public_key);
        socket.set(zmq::sockopt::curve_secretkey, secret_key);
        socket.set(zmq::sockopt::curve_serverkey, server_key);
    }

  private:
    static std::string find(const std::string& file, const std::string& name) {
        std::ifstream input(file);
        for (std::string line; std::getline(input, line);) {
            // A # begins a comment only at the start of a line: keys contain it too.
            auto equals = line.find('=');
            if (equals == std::string::npos || trimmed(line.substr(0, equals), " \t\r") != name) continue;
            auto value = trimmed(line.substr(equals + 1), " \t\r\"'");
            if (value.size() == 40) return value;
        }
        throw std::runtime_error(file + " cannot be read, or has no " + name + " of 40 characters");
    }

    static std::string trimmed(const std::string& text, const char* characters) {
        auto first = text.find_first_not_of(characters);
        if (first == std::string::npos) return "";
        return text.substr(first, text.find_last_not_of(characters) - first + 1);
    }
};

namespace internal {

inline zmq::context_t& context() {
    static zmq::context_t one;
    return one;
}

inline zmq::socket_t connected(zmq::socket_type type, const std::string& endpoint, const std::optional<CurveKeys>& keys,
                               const std::vector<std::string>& topics = {}) {
    zmq::socket_t socket(context(), type);
    socket.set(zmq::sockopt::linger, 0);
    if (keys) keys->apply(socket);
    for (const auto& topic : topics) socket.set(zmq::sockopt::subscribe, topic);
    socket.connect(endpoint);
    return socket;
}

// The last frame of the next message, or nothing where none has come.
inline std::optional<json> receive(zmq::socket_t& socket, milliseconds wait) {
    socket.set(zmq::sockopt::rcvtimeo, static_cast<int>(std::max(wait, milliseconds{1}).count()));
    std::vector<zmq::message_t> frames;
    if (!zmq::recv_multipart(socket, std::back_inserter(frames))) return std::nullopt;
    return json::parse(frames.back().to_string_view());
}

// A connection to the worker's intake.
class Intake {
  public:
    Intake(std::string endpoint, std::optional<CurveKeys> keys) : endpoint_(std::move(endpoint)), keys_(std::move(keys)) {}

    json ask(const std::string& body, const std::string& type, std::optional<milliseconds> timeout) {
        const auto end = Clock::now() + timeout.value_or(milliseconds{0});
        while (true) {
            auto wait = ack_wait;
            if (timeout) wait = std::min(wait, std::chrono::duration_cast<milliseconds>(end - Clock::now()));
            if (wait <= milliseconds{0}) throw NoAnswer(endpoint_ + " has not answered in time");
            if (auto answer = attempt(body, wait)) return checked(std::move(*answer), type);
        }
    }

  private:
    std::optional<json> attempt(const std::string& body, milliseconds wait) {
        // Taken out, so that after an error, or without an answer, it is closed: a late answer goes nowhere, and can't
        // be taken for that to another question.
        auto socket = std::exchange(socket_, std::nullopt);
        if (!socket) socket = connected(zmq::socket_type::dealer, endpoint_, keys_);
        socket->send(zmq::buffer(body), zmq::send_flags::none);
        auto answer = receive(*socket, wait);
        if (answer) socket_ = std::move(socket);
        return answer;
    }

    static json checked(json answer, const std::string& type) {
        if (answer.value("type", "") == "ack" && answer.value("status", "") == "refused") throw Refused(answer);
        if (answer.value("type", "") != type) throw std::runtime_error("what answers is no worker: no " + type);
        return answer;
    }

    std::string endpoint_;
    std::optional<CurveKeys> keys_;
    std::optional<zmq::socket_t> socket_;
};

}  // namespace internal

// Has one decision in flight. Use one per strategy, in one thread.
class Publisher {
  public:
    explicit Publisher(std::string intake = default_intake, std::optional<CurveKeys> keys = std::nullopt)
        : intake_(std::move(intake), std::move(keys)) {}

    // Returns the acknowledgement once the decision is on disk at the worker. The decision has the members of the
    // contract, without "v"; write amounts as strings. Without an answer within 2 s the same bytes are sent again, for
    // as long as it takes, or until `timeout`: then throws NoAnswer. Throws Refused.
    json publish(json decision, std::optional<milliseconds> timeout = std::nullopt) {
        decision["v"] = 1;
        return intake_.ask(decision.dump(), "ack", timeout);  // members are sorted
    }

  private:
    internal::Intake intake_;
};

// Up to where a strategy's outcomes have been handled: what to keep on disk.
struct Position {
    // The worker's database; empty before anything was heard of it.
    std::string stream;
    // The last `strategy_seq`.
    std::int64_t counter = 0;

    // The beginning, where there is no such file.
    static Position load(const std::string& path) {
        if (!std::filesystem::exists(path)) return {};
        std::ifstream input(path);
        auto stored = json::parse(input);
        return {stored.at("stream").is_null() ? "" : stored.at("stream"), stored.at("counter")};
    }

    // Replaces the file in one step, so that a crash leaves the old or the new one.
    void save(const std::string& path) const {
        const auto temporary = path + ".new";
        const auto text = json{{"stream", stream}, {"counter", counter}}.dump();
        int file = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
        if (file < 0) throw std::runtime_error("cannot write " + temporary);
        bool written = ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && ::fsync(file) == 0;
        written = ::close(file) == 0 && written;
        if (!written) throw std::runtime_error("cannot write " + temporary);
        std::filesystem::rename(temporary, path);
    }
};

// Gives a strategy's outcomes, each once and in order. What the topic lost is replayed from the worker. To be used by
// one thread.
class Subscriber {
  public:
    explicit Subscriber(std::string strategy, Position after = {}, std::string outcomes = default_outcomes,
                        std::string intake = default_intake, std::optional<CurveKeys> keys = std::nullopt)
        : strategy_(std::move(strategy)), outcomes_(std::move(outcomes)), keys_(keys), intake_(std::move(intake), keys),
          position_(after), stream_(after.stream), last_(after.counter) {}

    // Waits for the next outcome. Throws Refused where we may not read the outcomes.
    json next() {
        while (ready_.empty()) {
            if (behind_)
                catch_up();
            else
                listen();
        }
        auto outcome = std::move(ready_.front());
        ready_.pop_front();
        // Not the outcome's own stream: one from before a restoration or a move names the stream of then.
        position_ = {stream_, outcome.at("strategy_seq")};
        return outcome;
    }

    // Of the last outcome that `next` gave.
    const Position& position() const { return position_; }

  private:
    // Takes one message of the topic.
    void listen() {
        if (!live_) {
            const std::vector<std::string> topics{"outcome|" + strategy_ + "|", "heartbeat|"};
            live_ = internal::connected(zmq::socket_type::sub, outcomes_, keys_, topics);
            heard_ = Clock::now();
        }
        auto message = internal::receive(*live_, milliseconds{1000});
        if (!message) {
            // A connection that was refused, or whose other end vanished, never comes back.
            if (Clock::now() - heard_ > silence) live_.reset();
            return;
        }
        heard_ = Clock::now();
        const auto& type = message->at("type");
        if (message->at("stream") != stream_) {
            behind_ = true;
        } else if (type == "heartbeat") {
            behind_ = message->at("strategies").value(strategy_, std::int64_t{0}) > last_;
        } else if (type == "outcome") {
            const std::int64_t counter = message->at("strategy_seq");
            if (counter == last_ + 1)
                take(std::move(*message));
            else
                behind_ = counter > last_;
        }
    }

    void catch_up() {
        const json request{{"v", 1}, {"type", "replay"}, {"strategy_name", strategy_}, {"after", last_}};
        json page;
        try {
            page = intake_.ask(request.dump(), "replay", ack_wait);
        } catch (const NoAnswer&) {
            behind_ = false;  // the next heartbeat tells again that something is missing
            return;
        } catch (const Refused& refusal) {
            if (!refusal.retry()) throw;
            behind_ = false;
            return;
        }
        // Only this changes the stream: live messages of an older database may still wait in the queue when the worker
        // has begun another one.
        const std::string stream = page.at("stream");
        const bool other_database = !stream_.empty() && stream != stream_;
        stream_ = stream;
        if (other_database && last_ > 0) {
            last_ = 0;  // its counters begin anew: ask again, from its beginning
            return;
        }
        for (auto& outcome : page.at("outcomes"))
            if (outcome.at("strategy_seq") > last_) take(std::move(outcome));
        behind_ = page.at("more");
    }

    void take(json outcome) {
        last_ = outcome.at("strategy_seq");
        ready_.push_back(std::move(outcome));
    }

    std::string strategy_, outcomes_;
    std::optional<CurveKeys> keys_;
    internal::Intake intake_;
    std::optional<zmq::socket_t> live_;
    Clock::time_point heard_;
    Position position_;
    std::string stream_;
    std::int64_t last_;
    bool behind_ = false;
    std::deque<json> ready_;
};

}  // namespace trade_executor
