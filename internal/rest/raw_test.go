package rest

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
)

func TestARawCallIsTakenApart(t *testing.T) {
	t.Parallel()
	call, err := RawCall("GET", "/servers/7%2F8/x?a=1&b=2", nil, nil)
	require.NoError(t, err)
	assert.Equal(t, Read, call.Class)
	assert.Equal(t, []any{"servers", "7/8", "x"}, call.Path)
	assert.Equal(t, url.Values{"a": {"1"}, "b": {"2"}}, call.Query)
	for _, method := range []string{"POST", "PUT", "PATCH", "DELETE"} {
		call, err = RawCall(method, "servers", nil, nil)
		require.NoError(t, err)
		assert.Equal(t, Once, call.Class, method)
	}
}

func TestABadRawCallIsRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ method, path, field string }{
		"a method that nobody needs":  {"TRACE", "/x", "method"},
		"a fragment":                  {"GET", "/x#y", "path"},
		"a query that cannot be read": {"GET", "/x?a=%zz", "path"},
		"a broken escape":             {"GET", "/%zz", "path"},
	} {
		_, err := RawCall(c.method, c.path, nil, nil)
		var e *provisioning.Error
		require.ErrorAs(t, err, &e, name)
		assert.Equal(t, provisioning.Invalid, e.Kind, name)
		assert.Contains(t, e.Fields, c.field, name)
	}
}
