package main

import (
	"context"
	"strconv"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/virtfusion"
)

// receiveHooks takes the webhooks of the VirtFusion panel as hints: the server is looked at now, and not only when its time comes. Without a token there is no such route.
func (s *site) receiveHooks(token provisioning.Secret) (err error) {
	if token == "" {
		return nil
	}
	options := virtfusion.WebhookOptions{Tokens: []provisioning.Secret{token}, Logger: s.log}
	s.hooks, err = virtfusion.NewWebhookHandler(options, func(ctx context.Context, event virtfusion.WebhookEvent) error {
		server, ok := event.Server()
		if !ok {
			return nil
		}
		_, err := s.engine.Notify(ctx, providerName, provisioning.ID(strconv.FormatInt(int64(server.ID), 10)))
		return err
	})
	return settingError(err, map[string]string{"Tokens": envWebhookToken})
}
