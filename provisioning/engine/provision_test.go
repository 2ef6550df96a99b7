package engine_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
)

func TestAnOrderBecomesOneServer(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel := newPanel(t)
		e := start(t, config(db, newProvider(t, panel)))
		require.NoError(t, e.Apply(t.Context(), order("order-1")))
		s := ready(t, e, "order-1")
		assert.Equal(t, "as desired", s.Message)
		require.Len(t, panel.Servers(), 1)
		assert.Equal(t, "order-1", panel.Servers()[0].Name)
		assert.Equal(t, 1, panel.Servers()[0].Builds)
		password, err := e.TakePassword(t.Context(), "order-1")
		require.NoError(t, err)
		assert.Equal(t, panel.Servers()[0].RootPassword, password)
		_, err = e.TakePassword(t.Context(), "order-1")
		assert.ErrorIs(t, err, provisioning.NotFound)
	})
}
