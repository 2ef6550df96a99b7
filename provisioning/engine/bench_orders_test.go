package engine_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/provisioning/engine"
)

// BenchmarkOrdersAccepted stores new orders, each in a transaction of its own, while no engine works on them. ApplyTx does not send a wake-up, which saves a row; here the
// transaction holds nothing else.
func BenchmarkOrdersAccepted(b *testing.B) {
	orders := size(5000, 50)
	benchOnEach(b, func(b *testing.B, fresh func() provisioning.Secret) {
		for _, accept := range []struct {
			name string
			do   func(*engine.Engine, engine.Service) error
		}{
			{"Apply", func(e *engine.Engine, s engine.Service) error { return e.Apply(b.Context(), s) }},
			{"ApplyTx", func(e *engine.Engine, s engine.Service) error {
				return e.InTx(b.Context(), func(tx engine.Tx) error { return e.ApplyTx(b.Context(), tx, s) })
			}},
		} {
			for _, goroutines := range []int{1, 8} {
				b.Run(fmt.Sprintf("%s/goroutines=%d", accept.name, goroutines), func(b *testing.B) {
					e := benchOpen(b, benchConfig(fresh(), &instant{}, newFinish(0), 1))
					b.ResetTimer()
					fromAll(b, goroutines, orders, func(i int) error { return accept.do(e, ownOrder(i)) })
					b.StopTimer()
					b.ReportMetric(perSecond(orders, b.Elapsed()), "orders/s")
					require.NoError(b, e.Close(b.Context()))
				})
			}
		}
	})
}
