// Admission renders kustomizations and says what a cluster would say to each document: the API
// server of Kubernetes 1.34, with the resources of Percona's operator for MongoDB, Pod Security Standard
// "restricted", and the webhook of Knative 1.21, by their own code. One JSON line a document:
// {"source", "object", "errors"}.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	"k8s.io/kubernetes/pkg/api/pod"
	"k8s.io/kubernetes/pkg/apis/apps"
	_ "k8s.io/kubernetes/pkg/apis/apps/install"
	appsvalidation "k8s.io/kubernetes/pkg/apis/apps/validation"
	k8sautoscaling "k8s.io/kubernetes/pkg/apis/autoscaling"
	_ "k8s.io/kubernetes/pkg/apis/autoscaling/install"
	autoscalingvalidation "k8s.io/kubernetes/pkg/apis/autoscaling/validation"
	"k8s.io/kubernetes/pkg/apis/batch"
	_ "k8s.io/kubernetes/pkg/apis/batch/install"
	batchvalidation "k8s.io/kubernetes/pkg/apis/batch/validation"
	"k8s.io/kubernetes/pkg/apis/core"
	_ "k8s.io/kubernetes/pkg/apis/core/install"
	corevalidation "k8s.io/kubernetes/pkg/apis/core/validation"
	"k8s.io/kubernetes/pkg/apis/networking"
	_ "k8s.io/kubernetes/pkg/apis/networking/install"
	networkingvalidation "k8s.io/kubernetes/pkg/apis/networking/validation"
	"k8s.io/kubernetes/pkg/apis/policy"
	_ "k8s.io/kubernetes/pkg/apis/policy/install"
	policyvalidation "k8s.io/kubernetes/pkg/apis/policy/validation"
	"k8s.io/kubernetes/pkg/apis/rbac"
	_ "k8s.io/kubernetes/pkg/apis/rbac/install"
	rbacvalidation "k8s.io/kubernetes/pkg/apis/rbac/validation"
	"k8s.io/kubernetes/pkg/apis/storage"
	_ "k8s.io/kubernetes/pkg/apis/storage/install"
	storagevalidation "k8s.io/kubernetes/pkg/apis/storage/validation"
	podsecurityapi "k8s.io/pod-security-admission/api"
	podsecurity "k8s.io/pod-security-admission/policy"
	"knative.dev/pkg/apis"
	"knative.dev/serving/pkg/apis/autoscaling"
	"knative.dev/serving/pkg/apis/serving"
	servingv1 "knative.dev/serving/pkg/apis/serving/v1"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/kustomize/kyaml/kio"
	"sigs.k8s.io/kustomize/kyaml/resid"
	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"
	"sigs.k8s.io/yaml"
)

type document struct {
	Source string         `json:"source"`
	Object map[string]any `json:"object,omitempty"`
	Errors []string       `json:"errors"`
}

func main() {
	out := json.NewEncoder(os.Stdout)
	for _, source := range os.Args[1:] {
		nodes, err := render(source)
		if err != nil {
			out.Encode(document{Source: source, Errors: []string{err.Error()}})
		}
		for _, node := range nodes {
			object, err := node.Map()
			errors := append([]string{}, admit(node)...)
			if err != nil {
				errors = append(errors, err.Error())
			}
			out.Encode(document{source, object, errors})
		}
	}
}

// render takes the folder of a kustomization, or a file of documents.
func render(source string) ([]*kyaml.RNode, error) {
	if strings.HasSuffix(source, ".yaml") {
		text, err := os.ReadFile(source)
		if err != nil {
			return nil, err
		}
		return kio.FromBytes(text)
	}
	rendered, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), source)
	if err != nil {
		return nil, err
	}
	return rendered.ToRNodeSlice(), nil
}

func admit(node *kyaml.RNode) []string {
	kind := resid.GvkFromNode(node)
	if node.GetNamespace() == "" && !kind.IsClusterScoped() {
		node.SetNamespace("default") // as kubectl does
	}
	text, err := node.String()
	if err != nil {
		return []string{err.Error()}
	}
	if kind.Group == serving.GroupName {
		return admitToKnative([]byte(text))
	}
	if kind.Group == "psmdb.percona.com" {
		return admitCustom([]byte(text))
	}
	return admitToKubernetes([]byte(text))
}

func admitToKnative(text []byte) []string {
	service := &servingv1.Service{}
	if err := yaml.UnmarshalStrict(text, service); err != nil {
		return []string{err.Error()}
	}
	template := service.Spec.Template
	errors := restricted(corev1.PodTemplateSpec{ObjectMeta: template.ObjectMeta, Spec: template.Spec.PodSpec})
	ctx := apis.WithinCreate(context.Background())
	service.SetDefaults(ctx)
	if err := service.Validate(ctx); err != nil {
		errors = append(errors, err.Error())
	}
	for key := range template.Annotations {
		if strings.HasPrefix(key, autoscaling.GroupName) && !slices.Contains(annotations, key) {
			errors = append(errors, "unknown annotation "+key)
		}
	}
	return errors
}

// Knative takes older spellings, too, which kn does not show.
var annotations = []string{
	autoscaling.ActivationScaleKey,
	autoscaling.ClassAnnotationKey,
	autoscaling.InitialScaleAnnotationKey,
	autoscaling.MaxScaleAnnotationKey,
	autoscaling.MetricAggregationAlgorithmKey,
	autoscaling.MetricAnnotationKey,
	autoscaling.MinScaleAnnotationKey,
	autoscaling.PanicThresholdPercentageAnnotationKey,
	autoscaling.PanicWindowPercentageAnnotationKey,
	autoscaling.ScaleDownDelayAnnotationKey,
	autoscaling.ScaleToZeroPodRetentionPeriodKey,
	autoscaling.TargetAnnotationKey,
	autoscaling.TargetBurstCapacityKey,
	autoscaling.TargetUtilizationPercentageKey,
	autoscaling.WindowAnnotationKey,
}

var codecs = serializer.NewCodecFactory(legacyscheme.Scheme, serializer.EnableStrict)

func admitToKubernetes(text []byte) []string {
	external, err := runtime.Decode(codecs.UniversalDeserializer(), text)
	if err != nil {
		return []string{err.Error()}
	}
	var errors []string
	if template := podTemplate(external); template != nil {
		errors = restricted(*template)
	}
	defaulted, err := runtime.Decode(codecs.UniversalDecoder(), text)
	if err != nil {
		return append(errors, err.Error())
	}
	for _, err := range validate(defaulted) {
		errors = append(errors, err.Error())
	}
	return errors
}

func podTemplate(object runtime.Object) *corev1.PodTemplateSpec {
	switch o := object.(type) {
	case *appsv1.Deployment:
		return &o.Spec.Template
	case *appsv1.StatefulSet:
		return &o.Spec.Template
	case *batchv1.Job:
		return &o.Spec.Template
	case *batchv1.CronJob:
		return &o.Spec.JobTemplate.Spec.Template
	}
	return nil
}

var evaluator, _ = podsecurity.NewEvaluator(podsecurity.DefaultChecks())

func restricted(template corev1.PodTemplateSpec) []string {
	level := podsecurityapi.LevelVersion{
		Level:   podsecurityapi.LevelRestricted,
		Version: podsecurityapi.MajorMinorVersion(1, 34),
	}
	result := podsecurity.AggregateCheckResults(evaluator.EvaluatePod(level, &template.ObjectMeta, &template.Spec))
	if result.Allowed {
		return nil
	}
	return []string{"violates PodSecurity restricted: " + result.ForbiddenDetail()}
}

// validate does what the API server's strategies do before they create.
func validate(object runtime.Object) field.ErrorList {
	switch o := object.(type) {
	case *core.ConfigMap:
		return corevalidation.ValidateConfigMap(o)
	case *core.Service:
		if o.Spec.ClusterIP == core.ClusterIPNone {
			o.Spec.ClusterIPs = []string{core.ClusterIPNone}
		}
		return corevalidation.ValidateServiceCreate(o)
	case *core.ServiceAccount:
		return corevalidation.ValidateServiceAccount(o)
	case *core.PersistentVolume:
		return corevalidation.ValidatePersistentVolume(o, corevalidation.ValidationOptionsForPersistentVolume(o, nil))
	case *core.PersistentVolumeClaim:
		return corevalidation.ValidatePersistentVolumeClaim(o, corevalidation.ValidationOptionsForPersistentVolumeClaim(o, nil))
	case *apps.Deployment:
		return appsvalidation.ValidateDeployment(o, podOptions(&o.Spec.Template))
	case *apps.StatefulSet:
		return appsvalidation.ValidateStatefulSet(o, podOptions(&o.Spec.Template))
	case *batch.CronJob:
		return batchvalidation.ValidateCronJobCreate(o, podOptions(&o.Spec.JobTemplate.Spec.Template))
	case *batch.Job:
		// The rest of a Job, its selector and the labels for that, is the API server's.
		template := &batch.JobTemplateSpec{ObjectMeta: o.ObjectMeta, Spec: o.Spec}
		return batchvalidation.ValidateJobTemplateSpec(template, nil, podOptions(&o.Spec.Template))
	case *k8sautoscaling.HorizontalPodAutoscaler:
		return autoscalingvalidation.ValidateHorizontalPodAutoscaler(o, autoscalingvalidation.HorizontalPodAutoscalerSpecValidationOptions{})
	case *policy.PodDisruptionBudget:
		return policyvalidation.ValidatePodDisruptionBudget(o, policyvalidation.PodDisruptionBudgetValidationOptions{})
	case *networking.NetworkPolicy:
		return networkingvalidation.ValidateNetworkPolicy(o, networkingvalidation.ValidationOptionsForNetworking(o, nil))
	case *rbac.Role:
		return rbacvalidation.ValidateRole(o)
	case *rbac.RoleBinding:
		return rbacvalidation.ValidateRoleBinding(o)
	case *storage.StorageClass:
		return storagevalidation.ValidateStorageClass(o)
	}
	return field.ErrorList{field.InternalError(nil, fmt.Errorf("there is no rule for %T: add its validation", object))}
}

func podOptions(template *core.PodTemplateSpec) corevalidation.PodValidationOptions {
	return pod.GetValidationOptionsFromPodTemplate(template, nil)
}
