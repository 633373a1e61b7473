// Publishes one decision and prints its acknowledgement; exit code 1 where it is refused.
//
//     publish DECISION [INTAKE [OUR_SECRET_KEY_FILE WORKERS_PUBLIC_KEY_FILE]]

import Foundation
import TradeExecutorClient

let arguments = CommandLine.arguments
guard arguments.count > 1 else {
    fatalError("publish DECISION [INTAKE [OUR_SECRET_KEY_FILE WORKERS_PUBLIC_KEY_FILE]]")
}
let keys = arguments.count > 4 ? try CurveKeys(secretFile: arguments[3], serverFile: arguments[4]) : nil
let publisher = Publisher(intake: arguments.count > 2 ? arguments[2] : defaultIntake, keys: keys)
do {
    let acknowledgement = try publisher.publish(JSON.read(Data(arguments[1].utf8)))
    print(String(decoding: try acknowledgement.text(), as: UTF8.self))
} catch {
    guard case .refused(let answer) = error else { throw error }
    print(String(decoding: try answer.text(), as: UTF8.self))
    exit(1)
}
