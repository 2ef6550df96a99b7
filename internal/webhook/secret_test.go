package webhook

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
)

func TestMatcherAcceptsEverySecretAndNothingElse(t *testing.T) {
	t.Parallel()
	secrets := []provisioning.Secret{"first-secret-0000", "second-secret-111", "third-secret-2222"}
	match, err := NewMatcher("Secrets", secrets)
	require.NoError(t, err)
	for _, s := range secrets {
		assert.True(t, match(s.Reveal()))
	}
	for _, wrong := range []string{
		"", "first-secret-000", "first-secret-00000", "FIRST-SECRET-0000", "first-secret-0001", "xirst-secret-0000", " first-secret-0000", strings.Repeat("x", 1<<16),
		"first-secret-0000second-secret-111", "[secret]",
	} {
		assert.False(t, match(wrong), "%.40q", wrong)
	}
}

func TestMatcherRefusesBadSecrets(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name    string
		secrets []provisioning.Secret
		want    string
	}{
		{"none", nil, "at least one"},
		{"an empty list", []provisioning.Secret{}, "at least one"},
		{"an empty one", []provisioning.Secret{""}, "number 1"},
		{"a short one", []provisioning.Secret{"good-secret-00000", "short-secret-00"}, "number 2 must have 16 to 512"},
		{"a huge one", []provisioning.Secret{provisioning.Secret(strings.Repeat("x", 513))}, "16 to 512"},
		{"a space", []provisioning.Secret{"with space-secret"}, "printable"},
		{"a line end", []provisioning.Secret{"with-newline-secret\n"}, "printable"},
		{"letters beyond ASCII", []provisioning.Secret{"gänsefüßchen-secret"}, "printable"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			match, err := NewMatcher("Secrets", tc.secrets)
			require.ErrorIs(t, err, provisioning.Invalid)
			assert.ErrorContains(t, err, tc.want)
			assert.Nil(t, match)
			for _, s := range tc.secrets {
				if s != "" {
					assert.NotContains(t, fmt.Sprintf("%v %+v", err, err), s.Reveal())
				}
			}
		})
	}
}
