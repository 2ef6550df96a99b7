package engine_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/provisioning/engine"
	"github.com/hvpanels/hvpanels/solusvm2"
	"github.com/hvpanels/hvpanels/solusvm2/solusvm2test"
	"github.com/hvpanels/hvpanels/virtfusion"
	"github.com/hvpanels/hvpanels/virtfusion/virtfusiontest"
)

const hookSecret provisioning.Secret = "simulated-hook-secret"

// answeredBy carries requests to a handler of this process.
func answeredBy(h http.Handler) transport {
	return func(r *http.Request) (*http.Response, error) {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		answer := w.Result()
		answer.Request = r
		return answer, nil
	}
}

// neverLooking is an engine that looks at nothing by itself.
func neverLooking(c engine.Config) engine.Config {
	c.Timings.Observe = -1
	return c
}

func TestAVirtFusionWebhookMakesTheEngineLook(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel := newPanel(t)
		e, s := provisioned(t, neverLooking(config(db, newProvider(t, panel))), "order-1")
		receiver, err := virtfusion.NewWebhookHandler(virtfusion.WebhookOptions{Tokens: []provisioning.Secret{hookSecret}},
			func(ctx context.Context, event virtfusion.WebhookEvent) error {
				server, ok := event.Server()
				if !ok {
					return nil
				}
				_, err := e.Notify(ctx, "alpha", provisioning.ID(fmt.Sprint(server.ID)))
				return err
			})
		require.NoError(t, err)
		panel.AddWebhook(virtfusiontest.Webhook{URL: "https://shop.example.com/hooks", Token: hookSecret, Transport: answeredBy(receiver)})
		deleteServer(t, panel, s.Instance.ID)
		until(t, e, "order-1", engine.Lost)
		require.NotEmpty(t, panel.Deliveries())
		assert.Equal(t, http.StatusNoContent, panel.Deliveries()[0].Answer)
	})
}

func TestASolusVM2EventMakesTheEngineLook(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		var e *engine.Engine
		receiver, err := solusvm2.NewEventHandler(solusvm2.EventOptions{Secrets: []provisioning.Secret{hookSecret}},
			func(ctx context.Context, event solusvm2.Event) error {
				server, ok := event.ServerID.Get()
				if !ok {
					return nil
				}
				_, err := e.Notify(ctx, "alpha", provisioning.ID(fmt.Sprint(server)))
				return err
			})
		require.NoError(t, err)
		panel, provider, o := newSolusVM2(t, solusvm2test.WithWebhooks(answeredBy(receiver)))
		o.Registrars = nil
		e = start(t, neverLooking(config(db, provider)))
		require.NoError(t, e.Apply(t.Context(), o))
		s := ready(t, e, o.Key)
		_, err = panel.AddEventHandler(solusvm2test.EventHandler{
			Name: "engine", URL: "https://shop.example.com/hooks", Events: []string{solusvm2test.EventAdditionalIP}, Enabled: true,
			Parameters: `{"secret": "` + hookSecret + `"}`,
		})
		require.NoError(t, err)
		_, err = provider.AddIPv4(t.Context(), s.Instance.ID, 1) // an administrator, in the panel
		require.NoError(t, err)
		untilStatus(t, e, o.Key, func(now engine.Status) bool { return len(now.Instance.Addresses) == len(s.Instance.Addresses)+1 })
	})
}

func TestWithoutWebhooksThePollerFindsWhatHasChanged(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel := newPanel(t)
		c := config(db, newProvider(t, panel))
		c.Timings.Observe, c.Timings.FirstLook = 200*time.Millisecond, 100*time.Millisecond
		e, s := provisioned(t, c, "order-1")
		deleteServer(t, panel, s.Instance.ID)
		until(t, e, "order-1", engine.Lost)
	})
}
