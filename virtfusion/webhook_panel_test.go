package virtfusion_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/virtfusion"
	"github.com/hvpanels/hvpanels/virtfusion/virtfusiontest"
)

// receiver carries the calls of the simulated panel's webhooks to a handler in the same process.
type receiver struct{ http.Handler }

func (r receiver) RoundTrip(req *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	req.RequestURI, req.RemoteAddr = req.URL.RequestURI(), "192.0.2.1:1234"
	r.ServeHTTP(w, req)
	return w.Result(), nil
}

func TestTheSimulatedPanelSendsItsWebhooksToTheReceiver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const token = provisioning.Secret("a-token-of-the-webhook-0123456789")
		var mu sync.Mutex
		var got []virtfusion.WebhookEvent
		handler, err := virtfusion.NewWebhookHandler(virtfusion.WebhookOptions{Tokens: []provisioning.Secret{token}}, func(_ context.Context, e virtfusion.WebhookEvent) error {
			mu.Lock()
			defer mu.Unlock()
			got = append(got, e)
			return nil
		})
		require.NoError(t, err)
		s := newSimulated(t)
		s.AddWebhook(virtfusiontest.Webhook{URL: "https://shop.test/hook", Token: token, Transport: receiver{handler}})
		assert.NotContains(t, fmt.Sprintf("%v %+v %#v", s.Panel, s.Panel, s.Panel), token.Reveal())
		s.AddWebhook(virtfusiontest.Webhook{URL: "https://shop.test/hook", Token: "another-token-0123456789", Events: []int{virtfusiontest.EventServerBuild}, Status: "fail", Transport: receiver{handler}})

		p := s.Provider(nil)
		c, err := provisioning.CreateOnce(t.Context(), p, &provisioning.MemIntents{}, s.Order("order-1"), provisioning.CreateOptions{})
		require.NoError(t, err)
		time.Sleep(time.Minute) // nobody asks the panel: it tells by itself
		s.FailNextBuild("no space left")
		_, err = provisioning.Rebuild(t.Context(), p, c.ID, provisioning.RebuildRequest{Image: text(virtfusiontest.TemplateDebian)})
		require.NoError(t, err)
		time.Sleep(time.Minute)
		_, err = provisioning.Delete(t.Context(), p, c.ID, provisioning.DeleteOptions{})
		require.NoError(t, err)
		time.Sleep(time.Minute)
		synctest.Wait()

		mu.Lock()
		defer mu.Unlock()
		var told []string
		for _, e := range got {
			told = append(told, string(e.Event)+" "+string(e.Status))
			assert.Empty(t, e.Problems)
			server, ok := e.Server()
			require.True(t, ok)
			assert.Equal(t, c.ID, provisioning.ID(text(int64(server.ID))))
		}
		assert.Equal(t, []string{"server.create success", "server.build success", "server.build fail", "server.destroy success"}, told)
		assert.Equal(t, []string{"no space left"}, got[2].Errors)
		var refused int
		for _, d := range s.Deliveries() {
			if d.HookID == 2 {
				refused++
				assert.Equal(t, http.StatusUnauthorized, d.Answer)
			}
		}
		assert.Equal(t, 1, refused, "the second webhook wants failed builds only, and has a token that is not known")
	})
}
