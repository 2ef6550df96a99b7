package provisioning_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
)

const planted = "plantedvalue" // a made-up value that no other text of these tests contains

// holders are values that hold planted, in every way in which a program may come to print one.
func holders() map[string]any {
	s := provisioning.Secret(planted)
	type inner struct{ Password provisioning.Secret }
	type outer struct {
		inner
		Pointer *provisioning.Secret
		Map     map[string]provisioning.Secret
		Keys    map[provisioning.Secret]int
		Slice   []provisioning.Secret
		Array   [1]provisioning.Secret
		Any     any
		Opt     provisioning.Opt[provisioning.Secret]
		hidden  *provisioning.Secret
		reveal  func() provisioning.Secret
	}
	o := outer{
		inner{s}, &s, map[string]provisioning.Secret{"k": s}, map[provisioning.Secret]int{s: 1}, []provisioning.Secret{s}, [1]provisioning.Secret{s}, s,
		provisioning.Some(s), &s, func() provisioning.Secret { return s },
	}
	op := provisioning.NewOperation(provisioning.OperationSpec{Instance: "1"})
	return map[string]any{
		"itself": s, "a pointer": &s, "a slice": []provisioning.Secret{s}, "a slice of pointers": []*inner{{s}}, "a map": map[string]provisioning.Secret{"k": s},
		"map keys": map[provisioning.Secret]bool{s: true}, "a struct": o, "a pointer to a struct": &o,
		"a struct with a pointer to a struct": struct{ P *inner }{&inner{s}}, "a slice of structs": []inner{{s}}, "a map of structs": map[int]inner{1: {s}},
		"an Opt": provisioning.Some(s), "an Opt of a struct": provisioning.Some(inner{s}), "a slice of Opts": []provisioning.Opt[provisioning.Secret]{provisioning.Some(s)},
		"a server": provisioning.Created{ID: "1", Password: s, Operation: op}, "a pointer to a server": &provisioning.Created{ID: "1", Password: s},
		"progress": provisioning.CreateProgress{Created: provisioning.Created{Password: s}}, "a rebuild": provisioning.Rebuilt{Password: s, Operation: op},
		"a password reset": provisioning.PasswordReset{Password: s}, "a console": provisioning.Console{WebSocket: s, Password: s},
		"an account": provisioning.OwnerAccount{ID: "1", Password: s}, "a link": provisioning.Link{URL: s, Expires: time.Unix(0, 0)},
		"a rescue": provisioning.Rescue{Password: s},
	}
}

// verbs are what a program may print with; pointerVerbs are those that fit a pointer as well.
var (
	verbs        = append([]string{"%s", "%q", "%t", "%c", "%U", "%e", "%g", "%10.3s", "%z", "no verb for it"}, pointerVerbs...)
	pointerVerbs = []string{"%v", "%+v", "%#v", "%-20v", "%x", "%X", "%d", "%b", "%o", "%T"}
)

func TestNoVerbPrintsASecret(t *testing.T) {
	t.Parallel()
	for name, v := range holders() {
		fitting := verbs
		if name == "a slice of pointers" || name == "a struct with a pointer to a struct" {
			fitting = pointerVerbs
		}
		for _, verb := range fitting {
			got := fmt.Sprintf(verb, v)
			for _, form := range []string{planted, fmt.Sprintf("%x", planted), fmt.Sprintf("%X", planted), fmt.Sprintf("%d", []byte(planted))} {
				assert.NotContains(t, got, form, "%s printed with %s", name, verb)
			}
		}
		assert.NotContains(t, fmt.Sprint(v), planted, name)
		assert.NotContains(t, fmt.Sprintln("x", v), planted, name)
		assert.NotContains(t, fmt.Errorf("failed with %v", v).Error(), planted, name)
	}
}

func TestASecretLooksTheSameWithEveryVerb(t *testing.T) {
	t.Parallel()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		assert.Equal(t, "[secret]", fmt.Sprintf(verb, provisioning.Secret(planted)), verb)
		assert.Empty(t, fmt.Sprintf(verb, provisioning.Secret("")), "nothing is not hidden: %s", verb)
	}
	assert.Equal(t, "{ID:1 UUID: Password:[secret] Operation:<nil>}", fmt.Sprintf("%+v", provisioning.Created{ID: "1", Password: planted}))
}

func TestNoLogShowsASecret(t *testing.T) {
	t.Parallel()
	// slog's JSON handler encodes what has no LogValue with encoding/json, which gives the real value: see Secret.
	encoded := map[string]bool{
		"a slice": true, "a slice of pointers": true, "a map": true, "map keys": true, "a struct": true, "a struct with a pointer to a struct": true,
		"a pointer to a struct": true, "a slice of structs": true, "a map of structs": true,
		"an Opt of a struct": true, "a slice of Opts": true,
	}
	for name, v := range holders() {
		for form, v := range map[string]any{"as it is": v, "masked": provisioning.Masked(v)} {
			var text, js bytes.Buffer
			for _, h := range []slog.Handler{slog.NewTextHandler(&text, nil), slog.NewJSONHandler(&js, nil)} {
				slog.New(h).With("w", v).WithGroup("g").Info("x", "v", v, slog.Group("h", "v", v))
			}
			assert.NotContains(t, text.String(), planted, "%s %s in the text log", name, form)
			if form == "masked" || !encoded[name] {
				assert.NotContains(t, js.String(), planted, "%s %s in the JSON log", name, form)
				assert.Contains(t, js.String(), "[secret]", "%s %s in the JSON log", name, form)
			}
		}
	}
}

func TestASecretTravelsInJSON(t *testing.T) {
	t.Parallel()
	type body struct {
		Password provisioning.Secret `json:"password"`
	}
	b, err := json.Marshal(body{planted})
	require.NoError(t, err)
	assert.JSONEq(t, `{"password":"`+planted+`"}`, string(b))
	var back body
	require.NoError(t, json.Unmarshal(b, &back))
	assert.Equal(t, planted, back.Password.Reveal())
}

func TestAnErrorWithASecretInItsValueShowsTheMask(t *testing.T) {
	t.Parallel()
	err := provisioning.InvalidField("password", "%v is too short", provisioning.Secret(planted))
	assert.Equal(t, "invalid; password: [secret] is too short", err.Error())
	assert.NotContains(t, fmt.Sprintf("%+v %#v", err, errors.Join(err)), planted)
}
