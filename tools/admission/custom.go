package main

import (
	"bytes"
	"context"
	_ "embed"
	"sync"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"sigs.k8s.io/yaml"
)

// The CustomResourceDefinitions of Percona's operator for MongoDB, put here when this is built.
//
//go:embed crd.yaml
var definitions []byte

// schemas finds, once, the schema of each kind and version, such as psmdb.percona.com/v1,
// Kind=PerconaServerMongoDB.
var schemas = sync.OnceValues(func() (map[string]*apiextensions.JSONSchemaProps, error) {
	found := map[string]*apiextensions.JSONSchemaProps{}
	for _, text := range bytes.Split(definitions, []byte("\n---\n")) {
		definition := apiextensionsv1.CustomResourceDefinition{}
		if err := yaml.UnmarshalStrict(text, &definition); err != nil {
			return nil, err
		}
		for _, version := range definition.Spec.Versions {
			if version.Schema == nil || version.Schema.OpenAPIV3Schema == nil {
				continue
			}
			internal := &apiextensions.JSONSchemaProps{}
			if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(version.Schema.OpenAPIV3Schema, internal, nil); err != nil {
				return nil, err
			}
			found[definition.Spec.Group+"/"+version.Name+", Kind="+definition.Spec.Names.Kind] = internal
		}
	}
	return found, nil
})

// admitCustom checks an object by the schema of its kind, as the API server does when it creates one with
// fieldValidation=Strict.
func admitCustom(text []byte) []string {
	object := &unstructured.Unstructured{}
	if err := yaml.UnmarshalStrict(text, &object.Object); err != nil {
		return []string{err.Error()}
	}
	known, err := schemas()
	if err != nil {
		return []string{err.Error()}
	}
	kind := object.GroupVersionKind().String()
	props, ok := known[kind]
	if !ok {
		return []string{"there is no definition of " + kind}
	}
	structural, err := schema.NewStructural(props)
	if err != nil {
		return []string{err.Error()}
	}
	validator, _, err := validation.NewSchemaValidator(props)
	if err != nil {
		return []string{err.Error()}
	}

	var errors []string
	track := schema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true}
	for _, path := range pruning.PruneWithOptions(object.Object, structural, true, track) {
		errors = append(errors, "unknown field "+path)
	}
	defaulting.Default(object.Object, structural)
	if prefix := object.GetGenerateName(); prefix != "" {
		object.SetName(prefix + "00000") // as the API server does, with letters of its own
	}
	found := apivalidation.ValidateObjectMetaAccessor(object, true, apivalidation.NameIsDNSSubdomain, field.NewPath("metadata"))
	found = append(found, validation.ValidateCustomResource(nil, object.Object, validator)...)
	found = append(found, objectmeta.Validate(nil, object.Object, structural, true)...)
	found = append(found, listtype.ValidateListSetsAndMaps(nil, structural, object.Object)...)
	rules := cel.NewValidator(structural, true, celconfig.PerCallLimit)
	broken, _ := rules.Validate(context.Background(), nil, structural, object.Object, nil, celconfig.RuntimeCELCostBudget)
	for _, err := range append(found, broken...) {
		errors = append(errors, err.Error())
	}
	return errors
}
