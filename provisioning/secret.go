package provisioning

import (
	"fmt"
	"io"
	"log/slog"
)

// Secret is a password, token or key. Every way of printing it (fmt with any verb, log/slog) shows a mask; only Reveal and
// encoding/json give the real value, because secrets travel on the wire. fmt cannot reach methods of unexported fields, so
// structs of this module keep secrets behind pointers or functions.
type Secret string

const secretMask = "[secret]"

// Reveal returns the real value.
func (s Secret) Reveal() string { return string(s) }

// String prints a mask, or "" when there is no secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return secretMask
}

// GoString prints the mask.
func (s Secret) GoString() string { return s.String() }

// Format prints the mask for every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue logs the mask.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }
