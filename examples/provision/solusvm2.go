package main

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/solusvm2"
	"github.com/hvpanels/hvpanels/solusvm2/solusvm2test"
)

// envSolusVM2Project is the number of a customer's project, for a customer's token.
const envSolusVM2Project = "SOLUSVM2_PROJECT"

func solusVM2() kind {
	return kind{
		flag: "solusvm2", name: "SolusVM 2", urlVar: "SOLUSVM2_URL", keyVar: "SOLUSVM2_TOKEN", image: "Debian 12",
		simulate: func() simulatedPanel { return solusvm2test.NewPanel(solusvm2test.Options{Speed: 10}) }, // a server takes 3 s instead of 30
		connect:  connectSolusVM2,
	}
}

func connectSolusVM2(c config, url string, token provisioning.Secret, through *http.Client) (servers, error) {
	project, err := c.solusVM2Project(through != nil)
	if err != nil {
		return servers{}, err
	}
	var opts []solusvm2.Option
	if through != nil {
		opts = append(opts, solusvm2.WithHTTPClient(through))
	}
	client, err := solusvm2.New(url, token, opts...)
	if err != nil {
		return servers{}, err
	}
	w := words{
		planned: "the customer has an account; the order is stored before it is sent",
		power:   "according to the panel",
		noPower: "the panel does not tell whether it runs",
	}
	if project > 0 {
		w.planned = "the order is stored before it is sent" // whose project it is, whose server
	}
	return servers{provider: solusvm2.NewProvider(client, solusvm2.ProviderOptions{Project: project}), url: client.BaseURL(), words: w}, nil
}

// solusVM2Project reads the settings that only this kind of panel has, or does not have.
func (c config) solusVM2Project(simulated bool) (solusvm2.ProjectID, error) {
	text := c.getenv(envSolusVM2Project)
	n, err := strconv.ParseInt(text, 10, 64)
	switch {
	case c.fallbackLocation != 0:
		return 0, usageError{errors.New("-fallback-location is for VirtFusion; on SolusVM 2 an order without a location gets the panel's default one")}
	case text == "":
		return 0, nil
	case simulated:
		return 0, usageError{fmt.Errorf("%s is set, but the panel would be simulated: set SOLUSVM2_URL and SOLUSVM2_TOKEN as well", envSolusVM2Project)}
	case err != nil || n < 1:
		return 0, usageError{fmt.Errorf("%s must be the number of a project", envSolusVM2Project)}
	}
	return solusvm2.ProjectID(n), nil
}
