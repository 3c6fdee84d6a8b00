select organisation_id, state as "state: DeliveryState", count(*) as "deliveries!", min(opened_at) as "opened_at!", now() as "now!"
from certvakt.deliveries
where finished_at is null
group by organisation_id, state
