package provisioning_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
)

// sale is a struct as programs have it.
type sale struct {
	ID       int                    `json:"id"`
	Password provisioning.Secret    `json:"password,omitempty"`
	Note     *string                `json:"note"`
	Parts    []sale                 `json:"parts,omitempty"`
	ByName   map[string]*sale       `json:"by_name,omitempty"`
	Any      any                    `json:"any,omitempty"`
	Raw      json.RawMessage        `json:"raw,omitempty"`
	Size     provisioning.Bytes     `json:"size"`
	Made     time.Time              `json:"made"`
	Keys     [1]provisioning.Secret `json:"keys"`
	hidden   int
}

func (o sale) LogValue() slog.Value { return provisioning.Masked(o) }

func TestMaskedIsWhatWouldBeEncodedButForItsSecrets(t *testing.T) {
	t.Parallel()
	note := "n"
	shape := func(secret provisioning.Secret) sale {
		return sale{
			ID: 7, Password: secret, Note: &note, Parts: []sale{{ID: 8, Password: secret}}, ByName: map[string]*sale{"a": {ID: 9, Password: secret}, "b": nil},
			Any: []any{map[string]provisioning.Secret{"k": secret}, 1.5, nil, "text"}, Raw: json.RawMessage(`{"x":[1]}`), Size: provisioning.GiB,
			Made: time.Unix(0, 0).UTC(), Keys: [1]provisioning.Secret{secret}, hidden: 3,
		}
	}
	o := shape(planted)
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "order", o, "pointer", &o, "orders", provisioning.Masked([]sale{o}))
	var got map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(log.Bytes(), &got))
	want, err := json.Marshal(shape("[secret]"))
	require.NoError(t, err)
	assert.JSONEq(t, string(want), string(got["order"]))
	assert.JSONEq(t, string(want), string(got["pointer"]))
	assert.JSONEq(t, "["+string(want)+"]", string(got["orders"]))
	assert.Equal(t, shape(planted), o, "the sale itself keeps its secrets")
	assert.JSONEq(t, `{"id":0,"note":null,"size":"0B","made":"0001-01-01T00:00:00Z","keys":[""]}`, marshalled(t, sale{}.LogValue()), "no secret is no mask")
}

func TestMaskedPrintsWhatFmtPrints(t *testing.T) {
	t.Parallel()
	type pair struct {
		Name     string
		Password provisioning.Secret
	}
	p := pair{"a", planted}
	for _, verb := range []string{"%v", "%+v", "%#v"} {
		assert.Equal(t, fmt.Sprintf(verb, p), fmt.Sprintf(verb, provisioning.Masked(p).Any()))
	}
}

func TestMaskedIsAllMaskWhereItCannotLook(t *testing.T) {
	t.Parallel()
	type node struct {
		Secret provisioning.Secret
		Next   *node
	}
	loop := &node{Secret: planted}
	loop.Next = loop
	type inner struct{ Password provisioning.Secret }
	type outer struct{ *inner }
	list := []any{provisioning.Secret(planted), nil}
	list[1] = list
	for name, v := range map[string]any{"a loop of pointers": loop, "an embedded pointer to a type that is not exported": outer{&inner{planted}}, "a list in itself": list} {
		assert.Equal(t, "[secret]", provisioning.Masked(v).String(), name)
	}
	assert.Equal(t, "{}", marshalled(t, provisioning.Masked(outer{})))
	assert.Equal(t, "null", marshalled(t, provisioning.Masked(nil)))
	assert.Equal(t, "null", marshalled(t, provisioning.Masked((*sale)(nil))))
}

func TestMaskedLeavesAloneWhatEncodingJSONDoesNotRead(t *testing.T) {
	t.Parallel()
	type number int
	type odd struct {
		number
		Logger *slog.Logger
		Opt    provisioning.Opt[provisioning.Secret]
		None   provisioning.Opt[provisioning.Secret]
		Null   provisioning.Opt[sale]
	}
	v := odd{1, slog.Default(), provisioning.Some(provisioning.Secret(planted)), provisioning.Opt[provisioning.Secret]{}, provisioning.Null[sale]()}
	assert.JSONEq(t, `{"Logger":{},"Opt":"[secret]","None":null,"Null":null}`, marshalled(t, provisioning.Masked(v)))
	assert.Equal(t, provisioning.Secret(planted), v.Opt.Or(""))
}

func marshalled(t *testing.T, v slog.Value) string {
	t.Helper()
	b, err := json.Marshal(v.Any())
	require.NoError(t, err)
	return string(b)
}

func ExampleMasked() {
	type Order struct {
		Number   int
		Password provisioning.Secret
	}
	orders := []Order{{1, "a-password"}, {2, ""}}
	log := slog.New(slog.NewJSONHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
	log.Info("orders", "all", provisioning.Masked(orders))
	// Output: {"level":"INFO","msg":"orders","all":[{"Number":1,"Password":"[secret]"},{"Number":2,"Password":""}]}
}
