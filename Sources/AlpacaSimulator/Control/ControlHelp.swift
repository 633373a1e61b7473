/// The text that documents the control requests, for `--help` and for readers of the source.
package enum ControlHelp {
    /// Every line of it is true of `ControlRoute` and `ControlAnswers`. No line is longer than a help text is wide.
    package static let text = """
        CONTROL REQUESTS
        No credentials needed. Bodies are JSON; answers are {"ok":true} unless said
        otherwise.

        GET /_simulator/orders
          Every POST /v2/orders received, in order of arrival: sequence,
          received_at, connection, reused_connection, client_order_id, symbol, side,
          qty, notional, body, recorded, order_id, http_status (null: no answer),
          fault, duplicate (the same client_order_id was POSTed before).
          ?after=SEQUENCE and ?client_order_id=ID narrow it.
          ?summary=true gives only posts, distinct_client_order_ids, duplicates,
          recorded.
        GET /_simulator/requests
          Counts by method and path.
        POST /_simulator/faults
          {"fault":"html_504","times":1,"client_order_id":"exact",
           "contains":"part of it","symbol":"KO","milliseconds":250,
           "method":"POST","path":"/v2/orders"}
          Makes a fault strike the next matching requests: once, or `times`; null is
          for ever. `method` is POST (default), GET, PATCH or DELETE. `path` is how
          the path begins: /v2/orders (default), or with GET /v2/positions/ or
          /v2/clock. Only `fault` is required.
        POST /_simulator/faults/random
          {"seed":7,"per_mille":10,"faults":["html_504"],"methods":["POST"]}
          Makes faults strike at random, repeatably. Without `faults` all of them.
        DELETE /_simulator/faults
          Ends all faults.
        POST /_simulator/scripts
          {"symbol":"KO","client_order_id":"exact","times":1,
           "initial_status":"accepted",
           "steps":[{"after_ms":5,"status":"new"},
                    {"after_ms":100,"status":"partially_filled",
                     "filled_qty":"40","price":"60.1"},
                    {"after_ms":200,"status":"canceled"}]}
          Gives orders of a symbol, or one order, this life. Any status may be
          named, unknown ones too; `filled_qty` is the total so far. A step at 0
          shows in the answer to the POST.
        DELETE /_simulator/scripts
          Ends all scripts, for orders to come.
        DELETE /_simulator/connections
          Closes all other connections, as a server does with idle ones.
        POST /_simulator/market {"open":false}
          Closes the market: day orders expire, new orders are accepted and held.
          Opening routes them.
        POST /_simulator/visibility {"hidden_for_ms":500}
          New orders answer 404 to look-ups, and are not listed, for so long.
        POST /_simulator/prices {"symbol":"KO","price":"61.2"}
          Moves a price: limits fill, stops are triggered.
        POST /_simulator/halts {"symbol":"KO","halted":true}
          Halts a symbol: market orders are refused.
        POST /_simulator/account
          {"cash":"1000000","trade_suspended_by_user":false,
           "shorting_enabled":true}
          Changes the account.
        """
}
