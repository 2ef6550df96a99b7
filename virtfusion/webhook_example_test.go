package virtfusion_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/virtfusion"
)

// A receiver stores each event and answers; the work is done later, with what the panel's API says then.
func ExampleNewWebhookHandler() {
	options := virtfusion.WebhookOptions{
		Tokens:    []provisioning.Secret{"example-token-00001"}, // in real life from the environment
		AllowFrom: []netip.Prefix{netip.MustParsePrefix("192.0.2.10/32")},
	}
	queue := make(chan virtfusion.WebhookEvent, 1) // in real life a table
	handler, err := virtfusion.NewWebhookHandler(options, func(ctx context.Context, e virtfusion.WebhookEvent) error {
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
	call, err := virtfusion.NewWebhookTestRequest(context.Background(), "https://billing.example.com/hooks/virtfusion", options, virtfusion.WebhookEvent{
		Event:  virtfusion.WebhookServerBuild,
		Status: virtfusion.WebhookFail,
		Errors: []string{"the template could not be downloaded"},
		Data:   virtfusion.WebhookJSON(`{"server":{"id":42}}`),
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
	server, ok := e.Server()
	fmt.Println(e.Event, e.Status, server.ID, ok, e.Errors)
	// Output:
	// 204 No Content
	// server.build fail 42 true [the template could not be downloaded]
}
