package main

import (
	"net/http"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/virtfusion"
	"github.com/hvpanels/hvpanels/virtfusion/virtfusiontest"
)

func virtFusion() kind {
	return kind{
		flag: "virtfusion", name: "VirtFusion", urlVar: "VIRTFUSION_URL", keyVar: "VIRTFUSION_TOKEN", image: "Debian 12 (Bookworm) Minimal",
		simulate: func() simulatedPanel { return virtfusiontest.NewPanel(virtfusiontest.Options{Speed: 8}) }, // a build takes 3 s instead of 23
		connect:  connectVirtFusion,
	}
}

func connectVirtFusion(c config, url string, token provisioning.Secret, through *http.Client) (servers, error) {
	var opts []virtfusion.Option
	if through != nil {
		opts = append(opts, virtfusion.WithHTTPClient(through))
	}
	client, err := virtfusion.New(url, token, opts...)
	if err != nil {
		return servers{}, err
	}
	return servers{
		provider: virtfusion.NewProvider(client, virtfusion.ProviderOptions{FallbackLocation: virtfusion.HypervisorGroupID(c.fallbackLocation)}),
		url:      client.BaseURL(),
		words: words{
			planned: "the customer has an account; the order is stored before it is sent",
			power:   "according to the hypervisor",
			noPower: "the hypervisor does not answer",
		},
	}, nil
}
