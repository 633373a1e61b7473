// Prints a strategy's outcomes, each once and in order, and keeps its position in a file.
//
//	subscribe STRATEGY POSITION_FILE [OUTCOMES INTAKE [OUR_SECRET_KEY_FILE WORKERS_PUBLIC_KEY_FILE]]
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	client "trade-executor.example/client"
)

func main() {
	if len(os.Args) < 3 {
		log.Fatal("subscribe STRATEGY POSITION_FILE [OUTCOMES INTAKE [OUR_SECRET_KEY_FILE WORKERS_PUBLIC_KEY_FILE]]")
	}
	outcomes, intake := client.DefaultOutcomes, client.DefaultIntake
	if len(os.Args) > 4 {
		outcomes, intake = os.Args[3], os.Args[4]
	}
	var keys *client.CurveKeys
	if len(os.Args) > 6 {
		var err error
		if keys, err = client.LoadCurveKeys(os.Args[5], os.Args[6]); err != nil {
			log.Fatal(err)
		}
	}
	position, err := client.LoadPosition(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	subscriber := client.NewSubscriber(os.Args[1], position, outcomes, intake, keys)
	defer subscriber.Close()
	for {
		outcome, err := subscriber.Next(context.Background())
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(string(outcome.Raw))
		// Only now: an outcome that was not handled comes again.
		if err := subscriber.Position.Save(os.Args[2]); err != nil {
			log.Fatal(err)
		}
	}
}
