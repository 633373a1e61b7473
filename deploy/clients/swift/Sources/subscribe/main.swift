// Prints a strategy's outcomes, each once and in order, and keeps its position in a file.
//
//     subscribe STRATEGY POSITION_FILE [OUTCOMES INTAKE [OUR_SECRET_KEY_FILE WORKERS_PUBLIC_KEY_FILE]]

import Foundation
import TradeExecutorClient

let arguments = CommandLine.arguments
guard arguments.count > 2 else {
    fatalError("subscribe STRATEGY POSITION_FILE [OUTCOMES INTAKE [OUR_SECRET_KEY_FILE WORKERS_PUBLIC_KEY_FILE]]")
}
let subscriber = Subscriber(
    strategy: arguments[1],
    after: try Position(contentsOf: arguments[2]),
    outcomes: arguments.count > 4 ? arguments[3] : defaultOutcomes,
    intake: arguments.count > 4 ? arguments[4] : defaultIntake,
    keys: arguments.count > 6 ? try CurveKeys(secretFile: arguments[5], serverFile: arguments[6]) : nil
)
while true {
    FileHandle.standardOutput.write(try subscriber.next().text() + Data("\n".utf8))
    // Only now: an outcome that was not handled comes again.
    try subscriber.position.save(to: arguments[2])
}
