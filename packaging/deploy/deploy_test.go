// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// verifiedValues is the checksum of deploy/helm/values.yaml that was rendered with the
// chart, and verifiedResource that of deploy/operator/legato.yaml that was checked
// against the definition. Neither the chart nor the definition is in this repository.
const (
	verifiedValues   = "34a504be713609a83724779ead1fc545d1ef38a95fd6db1cd1dbab3f3e99f3d7"
	verifiedResource = "8b1c3b64cc321642f625284f3ad8cac57769a5b9849fc5246d957adf4d4b61c5"
)

const helm = "helm.sh/helm/v3/cmd/helm@v3.22.0"

func read(t *testing.T, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("..", "..", "deploy", name))
	require.NoError(t, err)
	return content
}

// strict decodes YAML; a key that the type does not have is an error.
func strict(t *testing.T, content []byte, into any) {
	t.Helper()
	require.NoError(t, yaml.UnmarshalStrict(content, into), string(content))
}

// claim is a template of a claim for a volume, with the fields that are used.
type claim struct {
	Metadata struct{ Name string }
	Spec     corev1.PersistentVolumeClaimSpec
}

type retention struct {
	Enabled                 bool
	WhenDeleted, WhenScaled appsv1.PersistentVolumeClaimRetentionPolicyType
}

type port struct {
	Enabled                    bool
	ContainerPort, ServicePort int
	Protocol                   corev1.Protocol
}

// values has the keys of the chart that our values use. Another key fails the test: add
// it here after it was rendered with the chart.
type values struct {
	Mode, FullnameOverride string
	Image                  struct{ Repository, Tag string }
	Command                struct{ Name string }
	ReplicaCount           int
	Autoscaling            struct{ Enabled bool }
	Statefulset            struct {
		VolumeClaimTemplates                 []claim
		PersistentVolumeClaimRetentionPolicy retention
	}
	ExtraVolumeMounts                           []corev1.VolumeMount
	PodSecurityContext                          corev1.PodSecurityContext
	SecurityContext                             corev1.SecurityContext
	ServiceAccount                              struct{ AutomountServiceAccountToken bool }
	Resources                                   corev1.ResourceRequirements
	TerminationGracePeriodSeconds               int64
	StartupProbe, LivenessProbe, ReadinessProbe corev1.Probe
	Ports                                       map[string]port
	Service                                     struct{ Type corev1.ServiceType }
	ExtraManifests                              []corev1.Service
	PodMonitor                                  struct {
		Enabled          bool
		MetricsEndpoints []struct{ Port string }
	}
	AlternateConfig map[string]any
}

// openByDefault are the ports that the chart opens unless they are switched off.
var openByDefault = []string{"otlp", "otlp-http", "jaeger-compact", "jaeger-thrift", "jaeger-grpc", "zipkin"}

func TestHelmValues(t *testing.T) {
	content := read(t, "helm/values.yaml")
	var v values
	strict(t, content, &v)
	assert.Equal(t, "statefulset", v.Mode)
	assert.Equal(t, "otelcol-legato", v.Command.Name)
	assert.Equal(t, 1, v.ReplicaCount)
	assert.False(t, v.Autoscaling.Enabled)
	assert.Equal(t, retention{Enabled: true, WhenDeleted: "Retain", WhenScaled: "Retain"}, v.Statefulset.PersistentVolumeClaimRetentionPolicy)
	require.Len(t, v.Statefulset.VolumeClaimTemplates, 1)
	assert.Equal(t, []corev1.VolumeMount{{Name: v.Statefulset.VolumeClaimTemplates[0].Metadata.Name, MountPath: "/var/lib/legato"}}, v.ExtraVolumeMounts)
	assertRestricted(t, &v.PodSecurityContext, &v.SecurityContext)
	for _, probe := range []corev1.Probe{v.StartupProbe, v.LivenessProbe, v.ReadinessProbe} {
		assertHealthcheck(t, &probe, v.AlternateConfig, "healthcheckv2")
	}
	for _, name := range openByDefault {
		require.Contains(t, v.Ports, name)
		assert.False(t, v.Ports[name].Enabled, name)
	}
	assert.Equal(t, 8080, v.Ports["cdr"].ContainerPort)
	require.Len(t, v.ExtraManifests, 1)
	assertBridges(t, &v.ExtraManifests[0])
	assert.Equal(t, verifiedValues, sum(content), "render deploy/helm/values.yaml with the chart (LEGATO_HELM_CHART), then set verifiedValues")
}

// resource has the keys of the Operator's resource that ours uses.
type resource struct {
	APIVersion, Kind string
	Metadata         struct{ Name string }
	Spec             struct {
		Mode, Image, UpgradeStrategy                string
		Replicas                                    int
		VolumeClaimTemplates                        []claim
		PersistentVolumeClaimRetentionPolicy        appsv1.StatefulSetPersistentVolumeClaimRetentionPolicy
		VolumeMounts                                []corev1.VolumeMount
		PodSecurityContext                          corev1.PodSecurityContext
		SecurityContext                             corev1.SecurityContext
		Resources                                   corev1.ResourceRequirements
		Env                                         []corev1.EnvVar
		TerminationGracePeriodSeconds               int64
		Ports                                       []corev1.ServicePort
		Config                                      map[string]any
		StartupProbe, LivenessProbe, ReadinessProbe struct{ PeriodSeconds, TimeoutSeconds, FailureThreshold int }
	}
}

func TestOperatorResource(t *testing.T) {
	content := read(t, "operator/legato.yaml")
	documents := strings.Split(string(content), "\n---\n")
	require.Len(t, documents, 2)
	var r resource
	strict(t, []byte(documents[0]), &r)
	assert.Equal(t, "opentelemetry.io/v1beta1 OpenTelemetryCollector", r.APIVersion+" "+r.Kind)
	assert.Equal(t, "statefulset", r.Spec.Mode)
	assert.Equal(t, 1, r.Spec.Replicas)
	assert.Equal(t, "none", r.Spec.UpgradeStrategy)
	assert.Equal(t, appsv1.StatefulSetPersistentVolumeClaimRetentionPolicy{WhenDeleted: "Retain", WhenScaled: "Retain"}, r.Spec.PersistentVolumeClaimRetentionPolicy)
	require.Len(t, r.Spec.VolumeClaimTemplates, 1)
	assert.Equal(t, []corev1.VolumeMount{{Name: r.Spec.VolumeClaimTemplates[0].Metadata.Name, MountPath: "/var/lib/legato"}}, r.Spec.VolumeMounts)
	assertRestricted(t, &r.Spec.PodSecurityContext, &r.Spec.SecurityContext)
	// The Operator makes probes of this extension alone.
	extensions, _ := r.Spec.Config["extensions"].(map[string]any)
	assert.Equal(t, map[string]any{"endpoint": "0.0.0.0:13133"}, extensions["health_check"])
	service, _ := r.Spec.Config["service"].(map[string]any)
	assert.Contains(t, service["extensions"], "health_check")
	require.Len(t, r.Spec.Ports, 1)
	assert.Equal(t, int32(8080), r.Spec.Ports[0].Port)
	var bridges corev1.Service
	strict(t, []byte(documents[1]), &bridges)
	assertBridges(t, &bridges)
	assert.Equal(t, verifiedResource, sum(content), "check deploy/operator/legato.yaml against the definition (LEGATO_OPERATOR_CRD), then set verifiedResource")
}

func sum(content []byte) string {
	s := sha256.Sum256(content)
	return hex.EncodeToString(s[:])
}

// assertRestricted holds that the pod runs as the image's user, may write to its volume,
// and fits the Pod Security Standard "restricted".
func assertRestricted(t *testing.T, pod *corev1.PodSecurityContext, container *corev1.SecurityContext) {
	t.Helper()
	for _, id := range []*int64{pod.RunAsUser, pod.RunAsGroup, pod.FSGroup} {
		require.NotNil(t, id)
		assert.Equal(t, int64(10001), *id)
	}
	assert.True(t, *pod.RunAsNonRoot)
	assert.Equal(t, corev1.SeccompProfileTypeRuntimeDefault, pod.SeccompProfile.Type)
	assert.False(t, *container.AllowPrivilegeEscalation)
	assert.True(t, *container.ReadOnlyRootFilesystem)
	assert.Equal(t, []corev1.Capability{"ALL"}, container.Capabilities.Drop)
}

// assertHealthcheck holds that the probe asks the extension of the configuration.
func assertHealthcheck(t *testing.T, probe *corev1.Probe, config map[string]any, extension string) {
	t.Helper()
	extensions, _ := config["extensions"].(map[string]any)
	health, _ := extensions[extension].(map[string]any)
	server, _ := health["http"].(map[string]any)
	status, _ := server["status"].(map[string]any)
	require.NotNil(t, probe.HTTPGet)
	assert.Equal(t, "0.0.0.0:"+probe.HTTPGet.Port.String(), server["endpoint"])
	assert.Equal(t, probe.HTTPGet.Path, status["path"])
	// A backend that is away is no reason to restart.
	assert.Equal(t, map[string]any{"include_permanent_errors": false, "include_recoverable_errors": false}, health["component_health"])
}

// assertBridges holds that the world outside reaches the port for the bridges alone.
func assertBridges(t *testing.T, s *corev1.Service) {
	t.Helper()
	assert.Equal(t, "Service", s.Kind)
	assert.Equal(t, corev1.ServiceTypeLoadBalancer, s.Spec.Type)
	assert.Equal(t, corev1.ServiceExternalTrafficPolicyLocal, s.Spec.ExternalTrafficPolicy)
	require.Len(t, s.Spec.Ports, 1)
	assert.Equal(t, int32(8080), s.Spec.Ports[0].Port)
}

// TestRendered renders the values with the chart itself, and reads what it makes.
func TestRendered(t *testing.T) {
	chart := os.Getenv("LEGATO_HELM_CHART")
	if chart == "" {
		t.Skip("LEGATO_HELM_CHART does not name the directory of the chart opentelemetry-collector")
	}
	command := exec.CommandContext(t.Context(), "go", "run", helm, "template", "legato", chart, "--namespace", "meetings",
		"--values", filepath.Join("..", "..", "deploy", "helm", "values.yaml"))
	output, err := command.Output()
	require.NoError(t, err)
	var set appsv1.StatefulSet
	var bridges, inside corev1.Service
	for document := range strings.SplitSeq(string(output), "\n---\n") {
		var head struct {
			Kind     string
			Metadata struct{ Name string }
		}
		require.NoError(t, yaml.Unmarshal([]byte(document), &head))
		switch head.Kind + " " + head.Metadata.Name {
		case "StatefulSet legato":
			strict(t, []byte(document), &set)
		case "Service legato":
			strict(t, []byte(document), &inside)
		case "Service legato-bridges":
			strict(t, []byte(document), &bridges)
		case "ConfigMap legato-statefulset":
			assertConfiguration(t, []byte(document))
		}
	}
	pod := set.Spec.Template.Spec
	require.Len(t, pod.Containers, 1)
	container := pod.Containers[0]
	assert.Equal(t, []string{"/otelcol-legato"}, container.Command)
	assert.Equal(t, "Retain", string(set.Spec.PersistentVolumeClaimRetentionPolicy.WhenDeleted))
	assert.Equal(t, "state", set.Spec.VolumeClaimTemplates[0].Name)
	assert.Contains(t, container.VolumeMounts, corev1.VolumeMount{Name: "state", MountPath: "/var/lib/legato"})
	assertRestricted(t, pod.SecurityContext, container.SecurityContext)
	var open []int32
	for _, p := range container.Ports {
		open = append(open, p.ContainerPort)
		assert.Zero(t, p.HostPort)
	}
	assert.ElementsMatch(t, []int32{8080, 8888, 9464}, open)
	for _, probe := range []*corev1.Probe{container.StartupProbe, container.LivenessProbe, container.ReadinessProbe} {
		require.NotNil(t, probe)
		assert.Equal(t, "/status", probe.HTTPGet.Path)
	}
	assert.Equal(t, corev1.ServiceTypeClusterIP, inside.Spec.Type)
	assertBridges(t, &bridges)
	for name, value := range bridges.Spec.Selector {
		assert.Equal(t, value, set.Spec.Template.Labels[name])
	}
}

// assertConfiguration holds that the Collector gets the configuration of the values, and
// nothing that the chart adds.
func assertConfiguration(t *testing.T, document []byte) {
	t.Helper()
	var m corev1.ConfigMap
	strict(t, document, &m)
	var got map[string]any
	strict(t, []byte(m.Data["relay"]), &got)
	var v values
	strict(t, read(t, "helm/values.yaml"), &v)
	assert.Equal(t, v.AlternateConfig, got)
}

// TestDefinition checks the resource against the Operator's definition: every key is in
// it and has its type.
func TestDefinition(t *testing.T) {
	file := os.Getenv("LEGATO_OPERATOR_CRD")
	if file == "" {
		t.Skip("LEGATO_OPERATOR_CRD does not name the definition of OpenTelemetryCollector")
	}
	content, err := os.ReadFile(file) // #nosec G304,G703 -- whoever runs the test names it
	require.NoError(t, err)
	var definition struct {
		Spec struct {
			Versions []struct {
				Name   string
				Schema struct{ OpenAPIV3Schema schema }
			}
		}
	}
	require.NoError(t, yaml.Unmarshal(content, &definition))
	document, _, _ := strings.Cut(string(read(t, "operator/legato.yaml")), "\n---\n")
	var object any
	require.NoError(t, yaml.Unmarshal([]byte(document), &object))
	for _, version := range definition.Spec.Versions {
		if version.Name == "v1beta1" {
			version.Schema.OpenAPIV3Schema.check(t, "", object)
			return
		}
	}
	assert.Fail(t, "the definition has no version v1beta1")
}

// schema is what a custom resource definition says of a value: the part of OpenAPI that
// decides whether a key exists, and of which type its value is.
type schema struct {
	Type                 string
	Properties           map[string]schema
	Items                *schema
	AdditionalProperties json.RawMessage
	Required             []string
	Enum                 []any
	Unknown              bool `json:"x-kubernetes-preserve-unknown-fields"`
	IntOrString          bool `json:"x-kubernetes-int-or-string"`
}

// check holds that the value at this path fits.
func (s *schema) check(t *testing.T, path string, value any) {
	t.Helper()
	switch v := value.(type) {
	case map[string]any:
		assert.Equal(t, "object", s.Type, path)
		for _, name := range s.Required {
			assert.Contains(t, v, name, path)
		}
		for name, item := range v {
			sub, known := s.Properties[name]
			switch {
			case known:
				sub.check(t, path+"."+name, item)
			case path != ".metadata" && s.AdditionalProperties == nil:
				assert.True(t, s.Unknown, "%s.%s is not in the definition", path, name)
			}
		}
	case []any:
		assert.Equal(t, "array", s.Type, path)
		for _, item := range v {
			s.Items.check(t, path+"[]", item)
		}
	case string:
		assert.True(t, s.Type == "string" || s.IntOrString, path)
	case bool:
		assert.Equal(t, "boolean", s.Type, path)
	case float64:
		assert.True(t, s.Type == "integer" || s.IntOrString, path)
	}
	if len(s.Enum) > 0 {
		assert.Contains(t, s.Enum, value, path)
	}
}
