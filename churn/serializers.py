"""Shapes of the API's answers."""

from rest_framework import serializers

from churn.models import ChurnAlert, ChurnScore, Level
from customers.serializers import PageSerializer


class AlertReasonSerializer(serializers.Serializer):
    code = serializers.CharField()
    points = serializers.FloatField(help_text="percentage points that the reason adds or takes")


class ChurnAlertSerializer(serializers.ModelSerializer):
    customer_no = serializers.CharField(source="customer.customer_no")
    branch = serializers.CharField(source="customer.branch.code")
    staff_no = serializers.CharField(source="customer.manager.staff_no", allow_null=True, default=None)
    level = serializers.SerializerMethodField()
    reasons = AlertReasonSerializer(many=True, source="score.reasons")

    class Meta:
        model = ChurnAlert
        fields = [
            "id", "customer_no", "branch", "staff_no", "opened_on", "level", "probability", "money_at_risk", "reasons",
            "due_on", "status", "cause", "closed_on", "updated_at",
        ]  # fmt: skip

    def get_level(self, alert) -> str:
        return Level(alert.level).name.lower()


class ChurnAlertPageSerializer(PageSerializer):
    results = ChurnAlertSerializer(many=True)


class ChurnScoreSerializer(serializers.ModelSerializer):
    customer_no = serializers.CharField(source="customer.customer_no")
    as_of = serializers.DateField(source="data_date")
    level = serializers.SerializerMethodField()

    class Meta:
        model = ChurnScore
        fields = ["id", "customer_no", "as_of", "probability", "level", "money_at_risk"]

    def get_level(self, score) -> str:
        return Level(score.level).name.lower()


class ChurnScorePageSerializer(PageSerializer):
    results = ChurnScoreSerializer(many=True)


class AcknowledgeSerializer(serializers.Serializer):
    staff_no = serializers.CharField(max_length=20, help_text="who follows it up, within the client's branches")
