// Publishes one decision and prints its acknowledgement; exit code 1 where it is refused.
//
//   publish DECISION [INTAKE [OUR_SECRET_KEY_FILE WORKERS_PUBLIC_KEY_FILE]]
#include <iostream>

#include "../trade_executor_client.hpp"

using namespace trade_executor;

int main(int count, char** arguments) {
    if (count < 2) {
        std::cerr << "publish DECISION [INTAKE [OUR_SECRET_KEY_FILE WORKERS_PUBLIC_KEY_FILE]]\n";
        return 64;
    }
    try {
        std::optional<CurveKeys> keys;
        if (count > 4) keys = CurveKeys::load(arguments[3], arguments[4]);
        Publisher publisher(count > 2 ? arguments[2] : default_intake, keys);
        std::cout << publisher.publish(json::parse(arguments[1])) << std::endl;
        return 0;
    } catch (const Refused& refusal) {
        std::cout << refusal.message << std::endl;
    } catch (const std::exception& error) {
        std::cerr << error.what() << std::endl;
    }
    return 1;
}
