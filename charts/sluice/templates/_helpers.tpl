{{/* What the objects are called. */}}
{{- define "sluice.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "sluice.serviceAccount" -}}
{{- default (ternary (include "sluice.fullname" .) "default" .Values.serviceAccount.create) .Values.serviceAccount.name -}}
{{- end -}}

{{/* By these the Services of Gateways select the pods: nothing else may have both. */}}
{{- define "sluice.selector" -}}
app.kubernetes.io/name: sluice
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* Labels of every object. A dictionary of root, name (sluice) and more labels. */}}
{{- define "sluice.labels" -}}
{{- $labels := dict
  "app.kubernetes.io/name" (default "sluice" .name)
  "app.kubernetes.io/instance" .root.Release.Name
  "app.kubernetes.io/version" (.root.Chart.AppVersion | toString)
  "app.kubernetes.io/managed-by" .root.Release.Service
  "app.kubernetes.io/part-of" "sluice"
  "helm.sh/chart" (printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-") -}}
{{- toYaml (merge (dict) $labels (default (dict) .more) .root.Values.commonLabels) -}}
{{- end -}}

{{/* metadata without name. A dictionary of root, and optionally name, labels, annotations. */}}
{{- define "sluice.metadata" -}}
labels:
  {{- include "sluice.labels" (dict "root" .root "name" .name "more" .labels) | nindent 2 }}
{{- with merge (dict) (default (dict) .annotations) .root.Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Labels of pods: what new versions of the chart change stays out, so that pods are not replaced for it. */}}
{{- define "sluice.podLabels" -}}
{{- $labels := dict "app.kubernetes.io/name" (default "sluice" .name) "app.kubernetes.io/instance" .root.Release.Name -}}
{{- toYaml (merge (dict) $labels (default (dict) .more) .root.Values.commonLabels) -}}
{{- end -}}

{{- define "sluice.image" -}}
{{- $tag := default .Chart.AppVersion .Values.image.tag -}}
{{- if not .Values.image.repository -}}
{{- fail (printf "\nimage.repository is not set, and there is no published image. Build and push one in the project's folder:\n  docker build --tag REGISTRY/sluice:%s . && docker push REGISTRY/sluice:%s\nand name it:\n  --set image.repository=REGISTRY/sluice\n" $tag $tag) -}}
{{- end -}}
{{- .Values.image.repository }}:{{ $tag }}
{{- with .Values.image.digest }}@{{ . }}{{ end -}}
{{- end -}}

{{- define "sluice.isNamespaced" -}}
{{- if .Values.watchNamespaces }}true{{ end -}}
{{- end -}}

{{- define "sluice.leaseName" -}}
{{- regexReplaceAll "[^a-z0-9.]+" (lower .Values.controllerName) "-" -}}
{{- end -}}

{{- define "sluice.acceptGrace" -}}
{{- if kindIs "invalid" .Values.shutdown.acceptGraceSeconds -}}
{{- ternary 30 10 (eq .Values.exposure "Service") -}}
{{- else -}}
{{- int .Values.shutdown.acceptGraceSeconds -}}
{{- end -}}
{{- end -}}

{{/* The whole time of a pod that ends: pause, accept grace, drain deadline, and 10 s. */}}
{{- define "sluice.terminationSeconds" -}}
{{- add .Values.shutdown.preStopSeconds (include "sluice.acceptGrace" .) .Values.shutdown.drainDeadlineSeconds 10 -}}
{{- end -}}

{{/* PodSysctl, NodeSysctl, Root or empty: Auto resolved. */}}
{{- define "sluice.privilegedPorts" -}}
{{- if ne .Values.privilegedPorts "Auto" -}}
{{- .Values.privilegedPorts -}}
{{- else if and (eq .Values.exposure "Host") (not .Values.hostNetwork) -}}
PodSysctl
{{- end -}}
{{- end -}}

{{- define "sluice.managesServices" -}}
{{- if ternary (eq .Values.exposure "Service") .Values.rbac.gatewayServices (kindIs "invalid" .Values.rbac.gatewayServices) }}true{{ end -}}
{{- end -}}

{{- define "sluice.readsNodes" -}}
{{- $own := and (eq .Values.exposure "Service") (not .Values.watchNamespaces) -}}
{{- if ternary $own .Values.rbac.nodes (kindIs "invalid" .Values.rbac.nodes) }}true{{ end -}}
{{- end -}}

{{/* Where the objects of helm test are: a namespace that is served. */}}
{{- define "sluice.testNamespace" -}}
{{- if or (not .Values.watchNamespaces) (has .Release.Namespace .Values.watchNamespaces) -}}
{{- .Release.Namespace -}}
{{- else -}}
{{- first .Values.watchNamespaces -}}
{{- end -}}
{{- end -}}
