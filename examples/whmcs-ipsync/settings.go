package main

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strings"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/solusvm2"
)

// The settings, which come from the environment because some are secret.
const (
	envPanelURL       = "SOLUSVM2_URL"
	envPanelToken     = "SOLUSVM2_TOKEN" // #nosec G101 -- a name
	envPanelCA        = "SOLUSVM2_CA_FILE"
	envWHMCSURL       = "WHMCS_URL"
	envWHMCSID        = "WHMCS_IDENTIFIER"
	envWHMCSSecret    = "WHMCS_SECRET" // #nosec G101 -- a name
	envWHMCSAccessKey = "WHMCS_ACCESS_KEY"
	envSecrets        = "WEBHOOK_SECRETS"
	envAllowFrom      = "WEBHOOK_ALLOW_FROM"
	envProxies        = "WEBHOOK_TRUSTED_PROXIES"
)

func (c config) anySetting() bool {
	return slices.ContainsFunc([]string{
		envPanelURL, envPanelToken, envPanelCA, envWHMCSURL, envWHMCSID, envWHMCSSecret, envWHMCSAccessKey, envSecrets, envAllowFrom, envProxies,
	}, func(name string) bool { return c.getenv(name) != "" })
}

// settings are what the environment says, checked.
type settings struct {
	panel  *solusvm2.Client
	whmcs  *whmcs
	events solusvm2.EventOptions
}

// readSettings checks the environment without network I/O. Its error has one line for each setting that is missing or wrong.
func (c config) readSettings(log *slog.Logger) (s settings, err error) {
	var problems []error
	problem := func(err error) {
		if err != nil {
			problems = append(problems, err)
		}
	}
	s.panel, err = c.panelClient()
	problem(err)
	s.whmcs, err = c.whmcsClient()
	problem(err)
	s.events, err = c.eventOptions()
	problem(err)
	s.events.Logger = log
	if err := errors.Join(problems...); err != nil {
		return s, usageError{err}
	}
	return s, nil
}

// missing has one line for each variable that is not set.
func (c config) missing(names ...string) error {
	var all []error
	for _, name := range names {
		if strings.TrimSpace(c.getenv(name)) == "" {
			all = append(all, fmt.Errorf("%s is not set", name))
		}
	}
	return errors.Join(all...)
}

func (c config) panelClient() (*solusvm2.Client, error) {
	if err := c.missing(envPanelURL, envPanelToken); err != nil {
		return nil, err
	}
	var opts []solusvm2.Option
	if file := c.getenv(envPanelCA); file != "" {
		pem, err := os.ReadFile(file) // #nosec G304 G703 -- the user names the file
		if err != nil {
			return nil, fmt.Errorf("%s: %w", envPanelCA, err)
		}
		opts = append(opts, solusvm2.WithRootCAs(pem))
	}
	client, err := solusvm2.New(c.getenv(envPanelURL), provisioning.Secret(c.getenv(envPanelToken)), opts...)
	return client, settingError(err, map[string]string{"baseURL": envPanelURL, "token": envPanelToken, "rootCAs": envPanelCA})
}

func (c config) whmcsClient() (*whmcs, error) {
	if err := c.missing(envWHMCSURL, envWHMCSID, envWHMCSSecret); err != nil {
		return nil, err
	}
	client, err := newWHMCS(c.getenv(envWHMCSURL), whmcsCredentials{
		Identifier: provisioning.Secret(c.getenv(envWHMCSID)), Secret: provisioning.Secret(c.getenv(envWHMCSSecret)),
		AccessKey: provisioning.Secret(c.getenv(envWHMCSAccessKey)),
	}, http.DefaultTransport)
	return client, settingError(err, map[string]string{"url": envWHMCSURL, "identifier": envWHMCSID, "secret": envWHMCSSecret})
}

// eventOptions says whose notifications are accepted.
func (c config) eventOptions() (o solusvm2.EventOptions, err error) {
	var problems []error
	if err := c.missing(envSecrets, envAllowFrom); err != nil {
		problems = append(problems, err)
	}
	o = c.secrets()
	if o.AllowFrom, err = c.prefixes(envAllowFrom); err != nil {
		problems = append(problems, err)
	}
	if o.TrustedProxies, err = c.prefixes(envProxies); err != nil {
		problems = append(problems, err)
	}
	if len(problems) == 0 {
		problems = append(problems, checkEventOptions(o))
	}
	return o, errors.Join(problems...)
}

// secrets are the secrets of the event handler alone.
func (c config) secrets() (o solusvm2.EventOptions) {
	for _, s := range list(c.getenv(envSecrets)) {
		o.Secrets = append(o.Secrets, provisioning.Secret(s))
	}
	return o
}

// checkEventOptions finds what is wrong by making a receiver that is never used.
func checkEventOptions(o solusvm2.EventOptions) error {
	_, err := solusvm2.NewEventHandler(o, neverStored)
	return settingError(err, map[string]string{"Secrets": envSecrets, "AllowFrom": envAllowFrom, "TrustedProxies": envProxies})
}

// prefixes reads addresses and networks.
func (c config) prefixes(name string) ([]netip.Prefix, error) {
	var all []netip.Prefix
	for _, text := range list(c.getenv(name)) {
		p, err := netip.ParsePrefix(text)
		if a, addrErr := netip.ParseAddr(text); addrErr == nil {
			p, err = netip.PrefixFrom(a, a.BitLen()), nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %q is neither an address nor a network such as 192.0.2.0/24", name, text)
		}
		all = append(all, p)
	}
	return all, nil
}

// list splits at commas.
func list(text string) []string {
	var all []string
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			all = append(all, part)
		}
	}
	return all
}

// settingError words an error of a constructor as what it is about here: a variable of the environment.
func settingError(err error, variables map[string]string) error {
	if e, ok := errors.AsType[*provisioning.Error](err); ok {
		for field, messages := range e.Fields {
			return fmt.Errorf("%s: %s", cmp.Or(variables[field], field), messages[0])
		}
	}
	return err
}
