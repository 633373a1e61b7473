// Publishes one decision and prints its acknowledgement; exit code 1 where it is refused.
//
//	publish DECISION [INTAKE [OUR_SECRET_KEY_FILE WORKERS_PUBLIC_KEY_FILE]]
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"

	client "trade-executor.example/client"
)

func main() {
	if len(os.Args) < 2 {
		log.Fatal("publish DECISION [INTAKE [OUR_SECRET_KEY_FILE WORKERS_PUBLIC_KEY_FILE]]")
	}
	intake := client.DefaultIntake
	if len(os.Args) > 2 {
		intake = os.Args[2]
	}
	var keys *client.CurveKeys
	if len(os.Args) > 4 {
		var err error
		if keys, err = client.LoadCurveKeys(os.Args[3], os.Args[4]); err != nil {
			log.Fatal(err)
		}
	}
	publisher := client.NewPublisher(intake, keys)
	defer publisher.Close()
	ack, err := publisher.Publish(context.Background(), json.RawMessage(os.Args[1]))
	var refused *client.Refused
	if errors.As(err, &refused) {
		fmt.Println(string(refused.Raw))
		os.Exit(1)
	}
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(ack.Raw))
}
