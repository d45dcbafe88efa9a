"""Shapes of the API's answers, and of its batches for the documentation (msgspec reads those)."""

from rest_framework import serializers

from customers.models import Assignment, Tier


class AssignmentSerializer(serializers.ModelSerializer):
    customer_no = serializers.CharField(source="customer.customer_no")
    service_tier = serializers.ChoiceField(choices=[tier.code for tier in Tier], source="customer.tier.code")
    branch = serializers.CharField(source="customer.branch.code")
    staff_no = serializers.CharField(source="staff.staff_no")
    staff_name = serializers.CharField(source="staff.name")

    class Meta:
        model = Assignment
        fields = [
            "id", "customer_no", "service_tier", "branch", "staff_no", "staff_name", "role", "start", "end",
            "source", "reason", "updated_at",
        ]  # fmt: skip


class PageSerializer(serializers.Serializer):
    next_cursor = serializers.CharField(allow_null=True, help_text="null on the last page")


class AssignmentPageSerializer(PageSerializer):
    results = AssignmentSerializer(many=True)


class PutAnswerSerializer(serializers.Serializer):
    status = serializers.ChoiceField(["created", "updated", "unchanged"])


class RowAnswerSerializer(serializers.Serializer):
    row_id = serializers.CharField()
    status = serializers.ChoiceField(choices=["created", "updated", "unchanged", "stale", "rejected"])
    code = serializers.CharField(required=False)
    pointer = serializers.CharField(required=False, help_text="JSON pointer into the request")
    detail = serializers.CharField(required=False)


class CountsSerializer(serializers.Serializer):
    created = serializers.IntegerField()
    updated = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    stale = serializers.IntegerField()
    rejected = serializers.IntegerField()


class BatchAnswerSerializer(serializers.Serializer):
    counts = CountsSerializer()
    results = RowAnswerSerializer(many=True)


class AimSerializer(serializers.Serializer):
    name = serializers.CharField(help_text="left_3 … left_0 (diamond … potential), left_aum, broken, aside, even")
    value = serializers.FloatField()
    bound = serializers.FloatField(help_text="no answer is better than this")
    gap = serializers.FloatField()


class ProposedLineSerializer(serializers.Serializer):
    customer_no = serializers.CharField()
    staff_no = serializers.CharField()
    reason = serializers.CharField(help_text="previous, balance, only_room, a tie, or a band")


class LeftOverSerializer(serializers.Serializer):
    customer_no = serializers.CharField()
    reason = serializers.ChoiceField(choices=["no_room", "no_member"])


class ProposalSerializer(serializers.Serializer):
    branch = serializers.CharField()
    objective = serializers.FloatField()
    bound = serializers.FloatField()
    gap = serializers.FloatField(help_text="largest proven distance to the best, in parts; 0 is proved best")
    seconds = serializers.FloatField()
    assigned = serializers.IntegerField()
    unassigned = serializers.IntegerField()
    managers_short = serializers.FloatField(help_text="how many full managers those left over would take")
    aims = AimSerializer(many=True)
    lines = ProposedLineSerializer(many=True)
    left_over = LeftOverSerializer(many=True)


class ApplyLineSerializer(serializers.Serializer):
    customer_no = serializers.CharField(max_length=32)
    staff_no = serializers.CharField(max_length=20)


class ApplySerializer(serializers.Serializer):
    lines = ApplyLineSerializer(many=True, help_text="at most 1,000, each customer once")
    reason = serializers.CharField(max_length=200, required=False)


class AppliedSerializer(serializers.Serializer):
    assignments = AssignmentSerializer(many=True)
