// One libzmq socket as a JavaScript object. Receiving waits in a thread of Node's, so that the others go on.
#include <cerrno>
#include <string>
#include <vector>

#include <node_api.h>
#include <zmq.h>

namespace {

void* const context = zmq_ctx_new();

struct Socket {
    void* socket;
    bool receiving = false;
};

struct Reception {
    Socket* owner;
    napi_deferred deferred;
    napi_async_work work;
    std::vector<std::string> frames;
    int error = 0;
};

napi_value failure(napi_env env, int number) {
    napi_value code, message, error;
    napi_create_string_utf8(env, number == EAGAIN ? "EAGAIN" : "ERROR", NAPI_AUTO_LENGTH, &code);
    napi_create_string_utf8(env, zmq_strerror(number), NAPI_AUTO_LENGTH, &message);
    napi_create_error(env, code, message, &error);
    return error;
}

// Reads the arguments, and gives the socket that a method was called on.
Socket* called(napi_env env, napi_callback_info info, size_t count, napi_value* arguments) {
    napi_value self;
    void* socket = nullptr;
    napi_get_cb_info(env, info, &count, arguments, &self, nullptr);
    napi_unwrap(env, self, &socket);
    return static_cast<Socket*>(socket);
}

napi_value done(napi_env env, int result) {
    if (result < 0) napi_throw(env, failure(env, zmq_errno()));
    return nullptr;
}

std::string text(napi_env env, napi_value value) {
    size_t size = 0;
    napi_get_value_string_utf8(env, value, nullptr, 0, &size);
    std::string result(size, '\0');
    napi_get_value_string_utf8(env, value, result.data(), size + 1, &size);
    return result;
}

int number(napi_env env, napi_value value) {
    int result = 0;
    napi_get_value_int32(env, value, &result);
    return result;
}

napi_value create(napi_env env, napi_callback_info info) {
    size_t count = 1;
    napi_value type, self;
    napi_get_cb_info(env, info, &count, &type, &self, nullptr);
    auto* socket = new Socket{zmq_socket(context, number(env, type))};
    napi_wrap(env, self, socket, [](napi_env, void* data, void*) { delete static_cast<Socket*>(data); }, nullptr, nullptr);
    return self;
}

napi_value set_number(napi_env env, napi_callback_info info) {
    napi_value arguments[2];
    auto* socket = called(env, info, 2, arguments);
    int value = number(env, arguments[1]);
    return done(env, zmq_setsockopt(socket->socket, number(env, arguments[0]), &value, sizeof value));
}

napi_value set_text(napi_env env, napi_callback_info info) {
    napi_value arguments[2];
    auto* socket = called(env, info, 2, arguments);
    auto value = text(env, arguments[1]);
    return done(env, zmq_setsockopt(socket->socket, number(env, arguments[0]), value.data(), value.size()));
}

napi_value connect(napi_env env, napi_callback_info info) {
    napi_value address;
    auto* socket = called(env, info, 1, &address);
    return done(env, zmq_connect(socket->socket, text(env, address).c_str()));
}

napi_value send(napi_env env, napi_callback_info info) {
    napi_value buffer;
    auto* socket = called(env, info, 1, &buffer);
    void* data;
    size_t size;
    napi_get_buffer_info(env, buffer, &data, &size);
    return done(env, zmq_send(socket->socket, data, size, 0));
}

napi_value close(napi_env env, napi_callback_info info) {
    auto* socket = called(env, info, 0, nullptr);
    if (socket->receiving) {
        napi_throw_error(env, "ERROR", "the stand-in for zeromq cannot close a socket that receives");
    } else if (socket->socket) {
        zmq_close(socket->socket);
        socket->socket = nullptr;
    }
    return nullptr;
}

// In a thread of Node's.
void wait(napi_env, void* data) {
    auto* reception = static_cast<Reception*>(data);
    zmq_msg_t message;
    do {
        zmq_msg_init(&message);
        while (zmq_msg_recv(&message, reception->owner->socket, 0) < 0) {
            if (zmq_errno() == EINTR) continue;
            reception->error = zmq_errno();
            zmq_msg_close(&message);
            return;
        }
        reception->frames.emplace_back(static_cast<char*>(zmq_msg_data(&message)), zmq_msg_size(&message));
        bool more = zmq_msg_more(&message);
        zmq_msg_close(&message);
        if (!more) return;
    } while (true);
}

void settle(napi_env env, napi_status, void* data) {
    auto* reception = static_cast<Reception*>(data);
    reception->owner->receiving = false;
    if (reception->error) {
        napi_reject_deferred(env, reception->deferred, failure(env, reception->error));
    } else {
        napi_value frames, frame;
        napi_create_array(env, &frames);
        for (size_t index = 0; index < reception->frames.size(); index++) {
            const auto& bytes = reception->frames[index];
            napi_create_buffer_copy(env, bytes.size(), bytes.data(), nullptr, &frame);
            napi_set_element(env, frames, index, frame);
        }
        napi_resolve_deferred(env, reception->deferred, frames);
    }
    napi_delete_async_work(env, reception->work);
    delete reception;
}

napi_value receive(napi_env env, napi_callback_info info) {
    auto* socket = called(env, info, 0, nullptr);
    auto* reception = new Reception{socket, nullptr, nullptr, {}};
    napi_value promise, name;
    napi_create_promise(env, &reception->deferred, &promise);
    napi_create_string_utf8(env, "receive", NAPI_AUTO_LENGTH, &name);
    napi_create_async_work(env, nullptr, name, wait, settle, reception, &reception->work);
    napi_queue_async_work(env, reception->work);
    socket->receiving = true;
    return promise;
}

napi_value start(napi_env env, napi_value exports) {
    const auto method = [](const char* name, napi_callback call) {
        return napi_property_descriptor{name, nullptr, call, nullptr, nullptr, nullptr, napi_default, nullptr};
    };
    const std::vector<napi_property_descriptor> methods{
        method("setNumber", set_number), method("setText", set_text), method("connect", connect),
        method("send", send),            method("receive", receive),  method("close", close),
    };
    napi_value socket;
    napi_define_class(env, "NativeSocket", NAPI_AUTO_LENGTH, create, nullptr, methods.size(), methods.data(), &socket);
    napi_set_named_property(env, exports, "NativeSocket", socket);
    return exports;
}

}  // namespace

NAPI_MODULE(NODE_GYP_MODULE_NAME, start)
