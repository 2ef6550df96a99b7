package provisioning_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
)

// pinger can be pinged and nothing else.
type pinger struct{ pinged int }

func (p *pinger) Ping(context.Context) error { p.pinged++; return nil }

// Three wrappers, as programs write them.
type (
	anyWrapper      struct{ inner any }
	providerWrapper struct{ provisioning.Provider }
	guard           struct{ provisioning.Provider } // sees every call
)

func (w anyWrapper) Unwrap() any                        { return w.inner }
func (w providerWrapper) Unwrap() provisioning.Provider { return w.Provider }

func TestAsFindsACapability(t *testing.T) {
	t.Parallel()
	shop := &toyProvider{panel: &toyPanel{}}
	for name, c := range map[string]struct {
		v    any
		want bool
	}{
		"in the value itself":                         {shop, true},
		"under a wrapper of anything":                 {anyWrapper{shop}, true},
		"under a wrapper of a provider":               {providerWrapper{shop}, true},
		"under three wrappers of both kinds":          {anyWrapper{providerWrapper{providerWrapper{shop}}}, true},
		"not in nil":                                  {nil, false},
		"not in something else":                       {&pinger{}, false},
		"not under a wrapper that does not unwrap":    {guard{shop}, false},
		"not under one that is itself under another":  {anyWrapper{guard{shop}}, false},
		"not under a wrapper of nothing":              {anyWrapper{}, false},
		"not under a provider wrapper around nothing": {providerWrapper{}, false},
	} {
		creator, ok := provisioning.As[provisioning.Creator](c.v)
		assert.Equal(t, c.want, ok, name)
		if c.want {
			assert.Same(t, shop, creator, name)
		} else {
			assert.Nil(t, creator, name)
		}
	}
}

func TestAsPrefersTheOutermost(t *testing.T) {
	t.Parallel()
	inner := &pinger{}
	outer := struct {
		anyWrapper
		*pinger
	}{anyWrapper{inner}, &pinger{}}
	require.NoError(t, provisioning.Ping(t.Context(), outer))
	assert.Equal(t, 1, outer.pinged)
	assert.Zero(t, inner.pinged)
}

func TestAsFindsAConcreteProvider(t *testing.T) {
	t.Parallel()
	shop := &toyProvider{panel: &toyPanel{}}
	got, ok := provisioning.As[*toyProvider](providerWrapper{shop})
	require.True(t, ok)
	assert.Same(t, shop, got)
}
