{{/* What is watched in every namespace that is served, without Secrets and ConfigMaps that have a rule by name. */}}
{{- define "sluice.watchRules" -}}
{{- $class := ternary (list) (list "gatewayclasses") (eq (include "sluice.isNamespaced" .) "true") -}}
{{- $status := concat $class (list "gateways" "listenersets" "tcproutes" "tlsroutes" "backendtlspolicies") -}}
{{- $ours := list "backends" "backendpolicies" "clientpolicies" "gatewayparameters" -}}
{{- $core := list "services" -}}
{{- if not .Values.watchNamespaces }}{{ $core = prepend $core "namespaces" }}{{ end -}}
{{- if not .Values.rbac.secrets }}{{ $core = append $core "secrets" }}{{ end -}}
{{- if not .Values.rbac.configMaps }}{{ $core = append $core "configmaps" }}{{ end -}}
- apiGroups: [gateway.networking.k8s.io]
  resources: [{{ append $status "referencegrants" | join ", " }}]
  verbs: [get, list, watch]
- apiGroups: [gateway.networking.k8s.io]
  resources: [{{ include "sluice.statuses" $status }}]
  verbs: [patch]
- apiGroups: [sluice.dev]
  resources: [{{ join ", " $ours }}]
  verbs: [get, list, watch]
- apiGroups: [sluice.dev]
  resources: [{{ include "sluice.statuses" $ours }}]
  verbs: [patch]
# Of Secrets and ConfigMaps only those that served objects refer to are asked for, each by its name.
- apiGroups: [""]
  resources: [{{ join ", " $core }}]
  verbs: [get, list, watch]
- apiGroups: [discovery.k8s.io]
  resources: [endpointslices]
  verbs: [get, list, watch]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end -}}

{{- define "sluice.statuses" -}}
{{- range $index, $plural := . }}{{ if $index }}, {{ end }}{{ $plural }}/status{{ end -}}
{{- end -}}

{{/* A binding: a dictionary of root, kind (Role, ClusterRole), role, and namespace for a Role. */}}
{{- define "sluice.binding" -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ .kind }}Binding
metadata:
  name: {{ .role }}
  {{- with .namespace }}
  namespace: {{ . }}
  {{- end }}
  {{- include "sluice.metadata" (dict "root" .root) | nindent 2 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {{ .kind }}
  name: {{ .role }}
subjects:
- kind: ServiceAccount
  name: {{ include "sluice.serviceAccount" .root }}
  namespace: {{ .root.Release.Namespace }}
{{- end -}}
