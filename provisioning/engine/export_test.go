package engine

import "github.com/hvpanels/hvpanels/provisioning"

// NewIntents is the engine's table of intents, as one step sees it.
func (e *Engine) NewIntents() provisioning.Intents {
	return &intents{e: e, tokens: map[string]string{}, locked: func(string) {}}
}

// ErrBusy is what Lock returns while another step has the scope.
var ErrBusy = errBusy
