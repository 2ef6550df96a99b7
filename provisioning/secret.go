package provisioning

import (
	"fmt"
	"io"
	"log/slog"
)

// Secret is a password, token or key. Printing it with fmt or log/slog shows a mask; only Reveal and encoding/json give the real
// value, because secrets travel on the wire.
//
// Three ways around the mask are closed elsewhere, because a string type cannot close them. fmt does not reach methods of unexported fields: structs of this
// module keep secrets behind pointers or functions there. slog's JSON handler encodes structs with encoding/json: structs of this package and of the clients
// that hold a Secret have a LogValue; a struct of your own needs one too, and slices and maps of such structs need Masked. And a verb that does not fit, which
// go vet refuses (%p or %w for a Secret, %s for a pointer in a struct), makes fmt print the raw value.
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
