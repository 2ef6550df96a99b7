package solusvm2_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/solusvm2"
)

// A receiver stores each event and answers; the work is done later, with what the panel's API says then.
func ExampleNewEventHandler() {
	options := solusvm2.EventOptions{
		Secrets:   []provisioning.Secret{"example-secret-0001"}, // in real life from the environment
		AllowFrom: []netip.Prefix{netip.MustParsePrefix("192.0.2.10/32")},
	}
	queue := make(chan solusvm2.Event, 1) // in real life a table
	handler, err := solusvm2.NewEventHandler(options, func(ctx context.Context, e solusvm2.Event) error {
		select {
		case queue <- e:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	// The panel calls.
	call, err := solusvm2.NewEventTestRequest(context.Background(), "https://billing.example.com/hooks/solusvm2", options, solusvm2.Event{
		ServerID:     provisioning.Some(solusvm2.ServerID(42)),
		ServerIPs:    provisioning.Some([]netip.Addr{netip.MustParseAddr("192.0.2.77"), netip.MustParseAddr("2001:db8::77")}),
		ServerStatus: solusvm2.ServerStarted,
		Extra:        map[string][]string{solusvm2.EventParam: {"ip_changed"}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	call.RemoteAddr = "192.0.2.10:40000"
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, call)
	fmt.Println(answer.Code, http.StatusText(answer.Code))

	// The worker reads server 42 from the API before it acts.
	e := <-queue
	fmt.Println(e.Tag(), e.ServerID, e.ServerIPs)
	// Output:
	// 204 No Content
	// ip_changed 42 [192.0.2.77 2001:db8::77]
}

// The receiver prints what an administrator enters in the panel.
func ExampleNewEventSetup() {
	options := solusvm2.EventOptions{Secrets: []provisioning.Secret{"example-secret-0001"}}
	setup, err := solusvm2.NewEventSetup(options, solusvm2.EventSetupRequest{
		Name:  "billing: addresses",
		URL:   "https://billing.example.com/hooks/solusvm2",
		Event: solusvm2.EventAdditionalIP,
		Tag:   "ip_changed",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := setup.WriteTo(os.Stdout); err != nil {
		fmt.Println(err)
	}
	// Output:
	// In SolusVM 2 open Settings > Event Handlers > Add Webhook and enter:
	//   Name:                   billing: addresses
	//   URL:                    https://billing.example.com/hooks/solusvm2
	//   Events:                 Add or remove an additional IP
	//   Additional parameters:  {"event":"ip_changed","secret":"example-secret-0001"}
	//   Enabled:                yes
	// Save. It fires from the next matching event on. A task "Failed" in the panel means that the notification was refused or not stored.
}
