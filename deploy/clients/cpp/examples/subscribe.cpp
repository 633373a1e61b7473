// Prints a strategy's outcomes, each once and in order, and keeps its position in a file.
//
//   subscribe STRATEGY POSITION_FILE [OUTCOMES INTAKE [OUR_SECRET_KEY_FILE WORKERS_PUBLIC_KEY_FILE]]
#include <iostream>

#include "../trade_executor_client.hpp"

using namespace trade_executor;

int main(int count, char** arguments) {
    if (count < 3) {
        std::cerr << "subscribe STRATEGY POSITION_FILE "
                     "[OUTCOMES INTAKE [OUR_SECRET_KEY_FILE WORKERS_PUBLIC_KEY_FILE]]\n";
        return 64;
    }
    try {
        std::optional<CurveKeys> keys;
        if (count > 6) keys = CurveKeys::load(arguments[5], arguments[6]);
        const std::string position_file = arguments[2];
        Subscriber subscriber(arguments[1], Position::load(position_file), count > 4 ? arguments[3] : default_outcomes,
                              count > 4 ? arguments[4] : default_intake, keys);
        while (true) {
            std::cout << subscriber.next() << std::endl;
            // Only now: an outcome that was not handled comes again.
            subscriber.position().save(position_file);
        }
    } catch (const std::exception& error) {
        std::cerr << error.what() << std::endl;
        return 1;
    }
}
